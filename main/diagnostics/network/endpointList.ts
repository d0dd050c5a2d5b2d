// AWS's list of the hosts to which its own screen recording uploads, for networks that allow no wildcard:
// https://screenrecording.connect.aws/config/connect-recording-endpoint-allowlist.json. Read from a file or an https address, and
// not trusted: its size and its entries are limited, and no host outside of AWS's domains is ever connected to.
//
// AWS documents its address and its `createDate`, and nothing else of its form. So host names are accepted wherever they are in
// it, and everything else is ignored.

import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { ask, whyNoAnswer } from '../../platform/ask.ts';
import type { Network } from '../../platform/network/network.ts';
import { errno, errorMessage } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json.ts';
import { counted, failed, ok, skipped, warning, type Finding } from '../check.ts';
import { webHost } from './hosts.ts';
import type { Target } from './types.ts';

export const LIST_ADDRESS =
  'https://screenrecording.connect.aws/config/connect-recording-endpoint-allowlist.json';
const MAX_BYTES = 1024 * 1024;
const MAX_ENTRIES = 10_000;
const MAX_DEPTH = 8;
/** Of one region. The others are like them: a firewall that lets these through has the rule. */
const MAX_TRIED = 8;
const OLD_DAYS = 90;
const DAY_MS = 24 * 3_600_000;

/** A name of up to 253 characters (RFC 1035, 2.3.4) in a domain of AWS's. */
const AWS_HOST =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:amazonaws\.com(?:\.cn)?|connect\.aws)$/;
/** What is meant as a host: it has a dot, and is no version and no time. */
const LIKE_A_HOST = /^(?!\d+(\.\d+){0,2}$)(?!\d{4}-\d\d-\d\d).*\./s;

const listSchema = z.looseObject({ createDate: z.union([z.string().max(64), z.number()]).optional() });

export interface EndpointList {
  /** null: it names none that can be read. */
  readonly createdAt: number | null;
  /** In lower case, each once. */
  readonly hosts: readonly string[];
  /** Entries that look like hosts and are none of AWS's. */
  readonly refused: number;
}

/** @throws Error that says what is wrong with it */
export function parseEndpointList(text: string): EndpointList {
  const { success, data } = listSchema.safeParse(parseJson(text.replace(/^\uFEFF/, '')));
  if (!success) throw new Error('it is not a JSON object as AWS publishes it');
  const { createDate, ...content } = data;
  const entries = new Set(textsIn(content).map(asHost));
  const likely = [...entries].filter((entry) => LIKE_A_HOST.test(entry));
  const hosts = likely.filter((entry) => AWS_HOST.test(entry));
  if (hosts.length === 0) throw new Error('it names no host of AWS');
  return { createdAt: timeOf(createDate), hosts, refused: likely.length - hosts.length };
}

/** Of a host's address its name. */
function asHost(text: string): string {
  return text.toLowerCase().replace(/^https:\/\/([^/]*)(\/.*)?$/s, '$1');
}

/** @throws Error when there are too many */
function textsIn(content: unknown): string[] {
  const texts: string[] = [];
  let entries = 0;
  const collect = (value: unknown, depth: number): void => {
    entries += 1;
    if (entries > MAX_ENTRIES || depth > MAX_DEPTH)
      throw new Error(`it has more than ${MAX_ENTRIES} entries, or more than ${MAX_DEPTH} levels`);
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null)
      for (const one of Object.values(value)) collect(one, depth + 1);
  };
  collect(content, 0);
  return texts;
}

/** ISO 8601, or as in AWS's ip-ranges.json: `2026-10-01-12-30-00` (UTC). */
function timeOf(createDate: string | number | undefined): number | null {
  const [, date, hours, minutes, seconds] =
    /^(\d{4}-\d\d-\d\d)(?:[-T ](\d\d)[-:](\d\d)(?:[-:](\d\d))?.*)?$/s.exec(String(createDate)) ?? [];
  if (date === undefined) return null;
  const time = Date.parse(`${date}T${hours ?? '00'}:${minutes ?? '00'}:${seconds ?? '00'}Z`);
  return Number.isNaN(time) ? null : time;
}

/** @param place a file, or an https address @throws Error that says why it cannot be read */
async function readPlace(network: Network, place: string, timeoutMs: number): Promise<string> {
  if (!place.includes('://')) return readFileOf(place);
  try {
    const { status, body } = await ask(network, place, {
      method: 'GET',
      timeoutMs,
      maxAnswerBytes: MAX_BYTES,
    });
    if (status === 200) return body;
    throw new HttpStatus(`it answered ${status}`);
  } catch (error) {
    throw new Error(error instanceof HttpStatus ? error.message : whyNoAnswer(error));
  }
}

class HttpStatus extends Error {}

async function readFileOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    // To open a named pipe would block until it has a writer.
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw errno(error) === undefined ? error : new Error(`it cannot be read (${errno(error)})`);
  }
}

export interface ListedEndpoints {
  readonly finding: Finding;
  readonly targets: readonly Target[];
}

/** The list's age, and its hosts in the region. Never throws. @param now epoch ms */
export async function listedEndpoints(
  network: Network,
  place: string,
  region: string | null,
  now: number,
  timeoutMs: number,
): Promise<ListedEndpoints> {
  const name = place.includes('://') ? new URL(place).host : place;
  try {
    return judgeEndpointList(
      parseEndpointList(await readPlace(network, place, timeoutMs)),
      name,
      region,
      now,
    );
  } catch (error) {
    const finding = failed(
      `${name} cannot be used: ${errorMessage(error)}`,
      `Download AWS's list again from ${LIST_ADDRESS}, and check "endpointList" in Sightline's policy.`,
    );
    return { finding, targets: [] };
  }
}

export function judgeEndpointList(
  { createdAt, hosts, refused }: EndpointList,
  name: string,
  region: string | null,
  now: number,
): ListedEndpoints {
  const ageDays = createdAt === null ? null : Math.floor((now - createdAt) / DAY_MS);
  const age =
    createdAt === null || ageDays === null
      ? 'without a date that can be read'
      : `created on ${new Date(createdAt).toISOString().slice(0, 10)} (${counted(Math.max(0, ageDays), 'day')} ago)`;
  const mine = region === null ? [] : hosts.filter((host) => host.includes(`.${region}.`));
  const tried = mine.slice(0, MAX_TRIED);
  const others = refused === 0 ? '' : `; ignored, because they are no hosts of AWS: ${refused}`;
  const where = region === null ? '' : `, ${mine.length} in ${region}`;
  const part = tried.length < mine.length ? `, of which ${tried.length} were tried` : '';
  const evidence = `${name}, ${age}: ${counted(hosts.length, 'host')}${where}${part}${others}`;
  const download = `Download it again from ${LIST_ADDRESS}, and allow what is new in it.`;
  return {
    targets: tried.map((host) => ({ host, ...webHost("AWS's own screen recording upload, from the CCP") })),
    finding: verdict(),
  };

  function verdict(): Finding {
    if (ageDays === null || ageDays > OLD_DAYS)
      return warning(evidence, `AWS changes this list, and this copy may be out of date. ${download}`);
    if (region === null) return skipped(evidence, 'Set "instanceRegion" to try its hosts.');
    if (mine.length === 0)
      return warning(evidence, `It has no host of this region. Check "instanceRegion". ${download}`);
    return ok(evidence);
  }
}
