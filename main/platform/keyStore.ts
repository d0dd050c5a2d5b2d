// Protects the spool's keys: the system's key store where there is one (DPAPI; Electron's safeStorage: Keychain, libsecret),
// otherwise a key file that only its owner can read. A store wraps a key so that only this user on this machine gets it back.

import { randomBytes, createCipheriv, createDecipheriv } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import { createAtomically, writeFileAtomically } from './atomicFile.ts';
import { windowsHelper, type WindowsHelper } from './windowsHelper.ts';

export interface KeyStore {
  /** Kept beside each wrapped key: another store cannot unwrap it. */
  readonly name: string;
  /** What the user or IT should know about it; null when there is nothing to say. */
  readonly warning: string | null;
  wrap(key: Buffer): Promise<Buffer>;
  /** @throws SightlineError SPOOL_UNREADABLE when it is not a key that this store has wrapped */
  unwrap(wrapped: Buffer): Promise<Buffer>;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/**
 * A file of mode 0600 with a key of 32 random bytes, made when it is first needed.
 * @param hasSealed whether a key may have sealed something: only one that has not is replaced when it is damaged
 */
export function keyFileStore(
  path: string,
  hasSealed: () => Promise<boolean> = () => Promise.resolve(true),
): KeyStore {
  let loaded: Promise<Buffer> | null = null;
  const key = (): Promise<Buffer> => {
    loaded ??= loadOrMake(path, hasSealed).catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
  return {
    name: 'key-file',
    warning:
      `The system's key store is not used: anyone who can read ${path} and the data folder can read recordings that are ` +
      'not uploaded yet. Keep both on an encrypted disk.',
    async wrap(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, await key(), nonce);
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    async unwrap(wrapped) {
      try {
        // Never made anew here: a new key opens nothing that an earlier one has sealed.
        const nonce = wrapped.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv(CIPHER, await (loaded ?? load(path)), nonce);
        decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw wrongKey(path, error);
      }
    },
  };
}

async function loadOrMake(path: string, hasSealed: () => Promise<boolean>): Promise<Buffer> {
  const found = await readFile(path).catch((error: unknown) => {
    if (errno(error) !== 'ENOENT') throw error;
    return null;
  });
  if (found?.byteLength === KEY_BYTES || (found !== null && (await hasSealed()))) return load(path);
  const key = randomBytes(KEY_BYTES);
  // Of two that start at once one makes it and the other takes it.
  if (found === null) return (await createAtomically(path, key, 0o600)) ? key : load(path);
  await writeFileAtomically(path, key, 0o600);
  return key;
}

async function load(path: string): Promise<Buffer> {
  const unusable = (message: string, cause?: unknown) =>
    new SightlineError('SPOOL_UNREADABLE', `${path} ${message}`, { cause });
  const key = await readFile(path).catch((error: unknown) => {
    if (errno(error) !== 'ENOENT') throw error;
    throw unusable('is gone: what it has sealed cannot be read without it. Put it back.', error);
  });
  if (key.byteLength !== KEY_BYTES)
    throw unusable(
      `is not a key of ${KEY_BYTES} bytes. Put the right one back; what it has sealed cannot be read without it. ` +
        'If there is no copy of it, move it and the folder "spool" away and start Sightline again.',
    );
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw unusable(`can be read by others. Run: chmod 600 '${path}', and find out who has read it.`);
  return key;
}

/** What is used of Electron's SafeStorage. */
export interface SafeStorageSource {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(encrypted: Buffer): string;
  /** Linux: `basic_text` is no protection at all. */
  getSelectedStorageBackend?(): string;
}

/** null where the system protects nothing. https://www.electronjs.org/docs/latest/api/safe-storage */
export function safeStorageStore(source: SafeStorageSource): KeyStore | null {
  if (!source.isEncryptionAvailable()) return null;
  if (process.platform === 'linux' && source.getSelectedStorageBackend?.() === 'basic_text') return null;
  return {
    name: 'safe-storage',
    warning: null,
    wrap: (key) => Promise.resolve(source.encryptString(key.toString('base64'))),
    unwrap(wrapped) {
      try {
        return Promise.resolve(Buffer.from(source.decryptString(wrapped), 'base64'));
      } catch (error) {
        return Promise.reject(wrongKey("the system's key store", error));
      }
    },
  };
}

/** DPAPI: the same for the app and the command line, and on the disk before the key is first used. */
export function dpapiStore(helper: Pick<WindowsHelper, 'ask'>): KeyStore {
  const convert = async (how: 'protect' | 'unprotect', bytes: Buffer): Promise<Buffer> =>
    Buffer.from(await helper.ask(`${how} ${bytes.toString('base64')}`, z.base64()), 'base64');
  return {
    name: 'dpapi',
    warning: null,
    wrap: (key) => convert('protect', key),
    async unwrap(wrapped) {
      try {
        return await convert('unprotect', wrapped);
      } catch (error) {
        const reason = errorMessage(error);
        if (reason.startsWith('unprotect:'))
          throw wrongKey(`Windows' data protection (DPAPI, ${reason})`, error);
        const message = `The recording's key cannot be unlocked now: ${reason}. Start Sightline again; if it stays so, reinstall it.`;
        throw new SightlineError('SPOOL_UNREADABLE', message, { cause: error });
      }
    },
  };
}

/** The one that needs no Electron, for app and command line alike; null where there is none. */
export const systemKeyStore = (): KeyStore | null =>
  process.platform === 'win32' ? dpapiStore(windowsHelper) : null;

function wrongKey(where: string, cause: unknown): SightlineError {
  if (cause instanceof SightlineError) return cause;
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `The recording's key cannot be unlocked with ${where}: it belongs to another user, machine or installation.`,
    { cause },
  );
}
