import type { BuildOptions } from 'esbuild';

export const bundles: Readonly<
  Record<
    'main' | 'preload' | 'renderer' | 'review' | 'ccp' | 'ccpClassic' | 'cloud',
    Omit<BuildOptions, 'outdir' | 'entryPoints'>
  >
>;
