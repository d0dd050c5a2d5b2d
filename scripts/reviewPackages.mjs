// The packages of which parts are inside dist/review/page: for the build, which fails when the list is wrong, and for the licences.

export const bundledPackages = [
  '@preact/signals',
  '@preact/signals-core',
  'media-chrome',
  'preact',
  'virtua',
];
