// Pieces kept in this browser, in IndexedDB: what Back, a reload and "Lately" bring again. Where it's closed, nothing is kept.

/** @import {Session} from "./types.js" */

const NAME = "pianalysis";
const TABLE = "pieces";
const MOST = 40;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  constructor() {
    /** @type {Promise<IDBDatabase | null>} */
    this.database = this.open().catch(() => null);
  }

  open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" }).createIndex("when", "when");
    return answer(request);
  }

  /** @param {IDBTransactionMode} mode */
  async table(mode) {
    return (await this.database)?.transaction(TABLE, mode).objectStore(TABLE) ?? null;
  }

  /** @param {Session} session */
  async keep(session) {
    try {
      const table = await this.table("readwrite");
      await (table && answer(table.put({ id: session.id, when: Date.now(), session })));
      await this.forgetOld();
    } catch {
      // a full disk: the piece is still on the page
    }
  }

  async forgetOld() {
    const table = await this.table("readwrite");
    if (!table) return;
    const ids = await answer(table.index("when").getAllKeys());
    for (const id of ids.slice(0, Math.max(ids.length - MOST, 0))) table.delete(id);
  }

  /** @param {string} id @returns {Promise<Session | null>} */
  async find(id) {
    try {
      const table = await this.table("readonly");
      return table ? ((await answer(table.get(id)))?.session ?? null) : null;
    } catch {
      return null;
    }
  }

  /** The pieces lately worked on, the newest first. @param {number} most @returns {Promise<Session[]>} */
  async lately(most = 8) {
    try {
      const table = await this.table("readonly");
      const rows = table ? await answer(table.index("when").getAll()) : [];
      return rows.reverse().slice(0, most).map((row) => row.session);
    } catch {
      return [];
    }
  }
}
