// What the generated files need beyond a policy key's entry: the limits of its values, from its schema.

import { z } from 'zod';
import type { KeyInfo } from '../main/policy/keyInfo.ts';
import type { PolicyKey } from '../main/policy/keys.ts';
import { policyKeyNames, policyKeys } from '../main/policy/keys.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly [word: string]: unknown;
}

export interface PolicyFact {
  readonly name: PolicyKey;
  readonly info: KeyInfo<unknown>;
  /** Of the value in the form in which an administrator writes it. */
  readonly schema: JsonSchema;
  /** As text without markup. */
  readonly defaultText: string;
}

export const policyFacts: readonly PolicyFact[] = policyKeyNames.map((name) => {
  const info: KeyInfo<unknown> = policyKeys[name];
  const { $schema: _, ...schema } = z.toJSONSchema(info.schema, { io: 'input' });
  const defaultText = info.defaultText ?? (Array.isArray(info.default) ? 'none' : String(info.default));
  return { name, info, schema: schema as JsonSchema, defaultText: defaultText.replaceAll('`', '') };
});

export const appliedWords = {
  live: 'immediately',
  'when-idle': 'when no contact is active',
  restart: 'at the next start',
} as const;
