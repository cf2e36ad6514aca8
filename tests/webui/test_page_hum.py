"""The microphone and MIDI keyboards in a real browser: a file is sung into it; it's refused, missing, silent, taken away."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile
from demo_fixtures import CHROMIUM, FLAGS

pytest_plugins = ["demo_fixtures", "part_fixtures"]

PITCH_HZ = 330.0
RATE = 48_000
HUM = """
import { Hum } from "/hum.js";
const said = (globalThis.said = { levels: [], times: [], failed: [], ended: 0 });
globalThis.hum = new Hum({
  seconds: 2,
  onLevel: (level) => said.levels.push(level),
  onTime: (seconds) => said.times.push(seconds),
  onFail: (sentence) => said.failed.push(sentence),
  onEnd: async (blob, seconds) => {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    Object.assign(said, { seconds, kind: blob.type, wav: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) });
    said.ended += 1;
  },
});
"""
MIDI = """
import { MidiKeyboards } from "/midi.js";
const said = (globalThis.said = []);
globalThis.midi = new MidiKeyboards({
  onDown: (pitch, velocity) => said.push(["down", pitch, velocity]),
  onUp: (pitch) => said.push(["up", pitch]),
  onChange: (keyboards) => said.push(keyboards.map(({ name }) => name)),
});
"""


@pytest.fixture
def sung(browser, open_part, tmp_path):
    """A page whose microphone hears a sound, with the right to use it or without."""
    singers = []

    def opened(sound, *, allowed=True):
        soundfile.write(tmp_path / "sung.wav", sound, RATE)
        fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={tmp_path / 'sung.wav'}"]
        singers.append(browser.browser_type.launch(executable_path=CHROMIUM, args=FLAGS + fake))
        context = singers[-1].new_context(permissions=["microphone"] if allowed else [])
        page = open_part(HUM, context=context)
        page.wait_for_function("globalThis.hum")
        return page

    yield opened
    for singer in singers:
        singer.close()


def tone(gain=0.5):
    return gain * np.sin(2 * np.pi * PITCH_HZ * np.arange(6 * RATE) / RATE)


def test_what_is_hummed_comes_as_a_wav_file_of_the_time_allowed(sung):
    page = sung(tone())
    assert page.evaluate("hum.start()")
    page.wait_for_function("said.ended")
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(page.evaluate("said.wav"))))
    assert (rate, sound.ndim, len(sound)) == (22_050, 1, 44_100)
    spectrum = np.abs(np.fft.rfft(sound[-16_384:] * np.hanning(16_384)))
    assert np.argmax(spectrum) * rate / 16_384 == pytest.approx(PITCH_HZ, abs=2)
    assert max(page.evaluate("said.levels")) > 0.5
    assert page.evaluate("[said.kind, said.seconds, said.failed.length, hum.state]") == ["audio/wav", 2, 0, "idle"]
    # and again, stopped in the middle: by the page itself, as a busy machine looks too late
    page.evaluate(
        "() => { const { onTime } = hum; hum.onTime = (seconds) => { onTime(seconds); if (seconds > 0.7) hum.stop(); }; }"
    )
    assert page.evaluate("hum.start()")
    page.wait_for_function("said.ended === 2")
    assert 0.7 < page.evaluate("said.seconds") < 1.9


def test_a_cancelled_recording_leaves_nothing_and_the_microphone_is_given_back(sung):
    page = sung(tone())
    page.evaluate(
        """() => { const { onTime } = hum; hum.onTime = (seconds) => { onTime(seconds);
        if (said.times.length > 3) { hum.onTime = onTime; globalThis.track = hum.stream.getTracks()[0]; hum.cancel(); } };
        hum.start(); }"""
    )
    page.wait_for_function("globalThis.track")
    assert page.evaluate("[track.readyState, said.ended, said.failed.length, hum.state]") == ["ended", 0, 0, "idle"]
    page.evaluate("() => { globalThis.asking = hum.start(); hum.cancel(); }")  # while the browser asks
    assert page.evaluate("() => asking") is False
    assert page.evaluate("[hum.state, hum.stream]") == ["idle", None]


def test_silence_and_a_cough_are_said_to_be_what_they_are(sung):
    page = sung(tone(0.0005))
    page.evaluate("hum.start()")
    page.wait_for_function("said.failed.length === 1")
    page.evaluate("async () => { await hum.start(); hum.stop(); }")
    nothing, short = page.evaluate("said.failed")
    assert nothing.startswith("Nothing was heard")
    assert short.startswith("That was too short")


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ("NotAllowedError", "may not be used"),
        ("NotFoundError", "No microphone"),
        ("NotReadableError", "another program"),
    ],
)
def test_no_microphone_is_a_sentence(open_part, refusal, sentence):
    page = open_part(HUM)
    page.wait_for_function("globalThis.hum")
    page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }", refusal
    )
    assert page.evaluate("() => hum.start()") is False
    assert sentence in page.evaluate("said.failed[0]")
    assert page.evaluate("hum.state") == "idle"


def test_a_browser_without_microphones_says_so(open_part):
    page = open_part(HUM)
    page.wait_for_function("globalThis.hum")
    page.evaluate("() => { Object.defineProperty(navigator, 'mediaDevices', { value: undefined }); }")
    assert page.evaluate("() => hum.start()") is False
    assert "Upload a recording" in page.evaluate("said.failed[0]")


def test_a_midi_keyboard_is_found_played_and_taken_away(open_part):
    page = open_part(MIDI)
    page.wait_for_function("globalThis.midi")
    page.evaluate("""() => {
      const piano = { id: "a", name: "Stage piano", state: "connected", onmidimessage: null };
      globalThis.access = { inputs: new Map([["a", piano]]), onstatechange: null };
      navigator.requestMIDIAccess = async () => access;
      globalThis.press = (...data) => piano.onmidimessage?.({ data: new Uint8Array(data) });
    }""")
    assert page.evaluate("() => midi.connect()") == [{"id": "a", "name": "Stage piano"}]
    page.evaluate("() => { press(0x90, 60, 99); press(0xf8); press(0x80, 60, 0); press(0x90, 62, 50); }")
    page.evaluate("() => { access.inputs.get('a').state = 'disconnected'; access.onstatechange(); }")
    assert page.evaluate("said") == [["down", 60, 99], ["up", 60], ["down", 62, 50], ["up", 62], []]


def test_midi_refused_or_missing_is_a_sentence(open_part):
    page = open_part(MIDI)
    page.wait_for_function("globalThis.midi")
    said = "() => midi.connect().catch((error) => error.message)"
    page.evaluate(
        "() => { navigator.requestMIDIAccess = async () => { throw new DOMException('', 'NotAllowedError'); }; }"
    )
    assert "Allow them" in page.evaluate(said)
    page.evaluate("() => { delete navigator.requestMIDIAccess; delete Navigator.prototype.requestMIDIAccess; }")
    assert "can't reach MIDI" in page.evaluate(said)
