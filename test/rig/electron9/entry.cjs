// The app for Electron 9: what it lacks, and then the very main/index.ts.
require('./polyfills.cjs');
require('../../../main/index.ts');
