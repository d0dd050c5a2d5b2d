// The packages that are part of Sightline: those that package-lock.json does not mark as for development only, and those
// inside the page of the review tool.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages } from '../reviewPackages.mjs';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly licence: string | null;
}

/** Without optional ones: ffmpeg-static is GPL and is in none of our packages (electron-builder.yml). */
export function productionPackages(root: string): InstalledPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  const inPage = new Set(bundledPackages.map((name) => `node_modules/${name}`));
  return Object.entries(lock.packages)
    .filter(
      ([path, one]) => inPage.has(path) || (path !== '' && !one.dev && !one.optional && !one.devOptional),
    )
    .map(([path]) => describe(join(root, path)))
    .sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

function describe(folder: string): InstalledPackage {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) throw new Error(`${folder} is not installed. Run: npm ci`);
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    name: string;
    version: string;
    license?: unknown;
  };
  const licence = typeof manifest.license === 'string' ? manifest.license : null;
  return { name: manifest.name, version: manifest.version, folder, licence };
}

export function findLicences(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}
