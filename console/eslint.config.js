import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["identity", "contracts", "playbooks", "pipelines", "gateway", "knowledge", "approvals", "delivery", "agents"];

/** A feature may enter api and design, never app or another feature, not even by its index. */
const apart = features.map((feature) => ({
  files: [`src/features/${feature}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: ["@/app/*", ...features.filter((other) => other !== feature).flatMap(inside)],
            message: "Features do not import each other; compose them in src/app.",
          },
        ],
      },
    ],
  },
}));

function inside(feature) {
  return [`@/features/${feature}`, `@/features/${feature}/*`, `**/../${feature}/*`, `../${feature}`];
}

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.gen.ts"] },
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [
      tseslint.configs.strict,
      hooks.configs.flat["recommended-latest"],
      a11y.flatConfigs.strict,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", { max: 250 }],
      complexity: ["error", 14],
      "no-console": "error",
      // The rules that need types, chosen one by one: the whole typed set costs 20 s and, with no `any` allowed, finds no more.
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowNullish: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unnecessary-type-assertion": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  {
    files: ["src/app/**/*.{ts,tsx}", "src/main.tsx"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["@/features/*/*"], message: "A feature is entered through its index.ts." }] },
      ],
    },
  },
  {
    files: ["src/api/**/*.ts", "src/design/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["@/features/*", "@/app/*"], message: "api and design lie below features and app." }] },
      ],
    },
  },
  ...apart,
  { files: ["dev/**/*.mjs", "*.js"], rules: { "max-lines": ["error", { max: 250 }] } },
);
