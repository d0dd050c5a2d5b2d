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

export function toIdt(table: Table): string {
  const names = table.columns.map((column) => column.split(':')[0] ?? '');
  const formats = table.columns.map((column) => column.split(':')[1] ?? '');
  const lines = [names, formats, [table.name, ...table.keys], ...table.rows.map((row) => row.map(cellText))];
  return lines.map((cells) => `${cells.join('\t')}\r\n`).join('');
}

function cellText(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  // The format has replacements for these; no table of ours needs them.
  if (/[\t\r\n]/.test(text)) throw new Error(`A cell of an IDT file has a tab or a line's end: ${text}`);
  return text;
}
