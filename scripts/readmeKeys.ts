// The README's short table of policy keys, and the README with it in its place.

import { policyFacts } from './policyFacts.ts';

const BEGIN = '<!-- policy keys: made by scripts/make-docs.ts -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->\n';

/** @throws where the README has no place for it */
export function withPolicyKeys(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END, from);
  if (from === -1 || to === -1) throw new Error(`README.md has lost its marks: ${BEGIN}${END}`);
  return `${readme.slice(0, from)}${BEGIN}\n${table()}\n${readme.slice(to)}`;
}

function table(): string {
  const rows = policyFacts.map(({ name, info }) => {
    const fallback =
      info.defaultText ?? (Array.isArray(info.default) ? 'none' : `\`${String(info.default)}\``);
    const [first = ''] = info.description.split(/(?<=\.) /u);
    return `| \`${name}\` | ${fallback} | ${first} |\n`;
  });
  return `| key | default | what it does |\n| --- | --- | --- |\n${rows.join('')}`;
}
