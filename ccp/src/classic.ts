// The classic script: everything of the ES module as `window.Sightline`. scripts/bundles.mjs names the global.

export * from './index.ts';
