// Lint for the page's scripts and their tests. Names that don't exist are tsc's to find, so no list of globals is kept here.
import js from "@eslint/js";

const SCREEN = { max: 60, skipBlankLines: true, skipComments: true };

export default [
  { ignores: ["**/vendor/**"] },
  js.configs.recommended,
  {
    files: ["**/*.js", "**/*.mjs"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off",
      "no-unused-vars": ["error", { args: "after-used", caughtErrors: "none" }],
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "no-shadow": "error",
      "no-implicit-coercion": ["error", { boolean: false }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-console": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-promise-executor-return": "off",
      "object-shorthand": "error",
      "prefer-template": "error",
      curly: ["error", "multi-line"],
      "max-lines-per-function": ["error", SCREEN],
      "max-params": ["error", 5],
      complexity: ["error", 20],
    },
  },
  { files: ["**/*.test.mjs"], rules: { "max-lines-per-function": "off" } },
];
