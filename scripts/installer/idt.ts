// Tables of an MSI as IDT, the text archive format of Windows Installer
// (https://learn.microsoft.com/windows/win32/msi/text-archive-files-and-idt-files).

export type Cell = string | number | null;

export interface Table {
  readonly name: string;
  /** Name and column definition format, e.g. `Action:s72`. */
  readonly columns: readonly string[];
  readonly keys: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export function toIdt({ name, columns, keys, rows }: Table): string {
  const parts = columns.map((column) => column.split(':'));
  const header = [
    parts.map(([title]) => title ?? ''),
    parts.map(([, format]) => format ?? ''),
    [name, ...keys],
  ];
  return [...header, ...rows.map((row) => row.map(cellText))]
    .map((cells) => `${cells.join('\t')}\r\n`)
    .join('');
}

function cellText(cell: Cell): string {
  const text = String(cell ?? '');
  // IDT has replacements for these, which none of our tables needs.
  if (/[\t\r\n]/.test(text)) throw new Error(`A cell of an IDT file has a tab or a line break: ${text}`);
  return text;
}

/** An 8.3 name (https://learn.microsoft.com/windows/win32/msi/filename). */
const short = /^[A-Z0-9_~!#$%&'()@^`{}-]{1,8}(\.[A-Z0-9_~!#$%&'()@^`{}-]{1,3})?$/i;

/**
 * Adds the 8.3 names that wixl omits: Windows Installer requires `SHORT|long`. They are unique because they contain the
 * number of the row.
 *
 * @param idt a table as `msiinfo export` prints it
 */
export function withShortNames(idt: string, column: string): string {
  const [names = '', formats = '', table = '', ...rows] = idt.split(/\r?\n/).filter((line) => line !== '');
  const at = names.split('\t').indexOf(column);
  if (at < 0) throw new Error(`The table has no column ${column}.`);
  const changed = rows.map((row, index) => {
    const cells = row.split('\t');
    cells[at] = bothNames(cells[at] ?? '', index);
    return cells.join('\t');
  });
  return [names, formats, table, ...changed].map((line) => `${line}\r\n`).join('');
}

function bothNames(name: string, index: number): string {
  // SourceDir is Windows Installer's name for the root.
  if (name === 'SourceDir' || name.includes('|') || short.test(name)) return name;
  const number = (index + 1).toString(36).toUpperCase().padStart(4, '0');
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.slice(0, 3).toUpperCase();
  return `SL${number}~1${extension === undefined ? '' : `.${extension}`}|${name}`;
}
