// 8.3 names for what wixl leaves with a long one only: Windows Installer wants "SHORT|long"
// (https://learn.microsoft.com/windows/win32/msi/filename). They are made from the place in the table, so they are unique.
const short = /^[A-Z0-9_~!#$%&'()@^`{}-]{1,8}(\.[A-Z0-9_~!#$%&'()@^`{}-]{1,3})?$/i;

/** @param idt a table as `msiinfo export` prints it */
export function withShortNames(idt: string, column: string): string {
  const [names = '', formats = '', table = '', ...rows] = idt.split(/\r?\n/).filter((line) => line !== '');
  const at = names.split('\t').indexOf(column);
  if (at < 0) throw new Error(`The table has no column ${column}.`);
  const changed = rows.map((row, index) =>
    row
      .split('\t')
      .map((cell, place) => (place === at ? bothNames(cell, index) : cell))
      .join('\t'),
  );
  return [names, formats, table, ...changed].map((line) => `${line}\r\n`).join('');
}

function bothNames(name: string, index: number): string {
  // The root's name is a word of Windows Installer's own.
  if (name === 'SourceDir' || name.includes('|') || short.test(name)) return name;
  const number = (index + 1).toString(36).toUpperCase().padStart(4, '0');
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.slice(0, 3).toUpperCase();
  return `SL${number}~1${extension === undefined ? '' : `.${extension}`}|${name}`;
}
