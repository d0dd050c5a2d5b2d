// node:fs/promises with rm and statfs, which Node 12 has not.
const { execFile } = require('child_process');
const fs = require('fs');
const { promisify } = require('util');

module.exports = Object.assign({}, fs.promises, {
  constants: fs.constants,
  async rm(path, { force = false, recursive = false } = {}) {
    try {
      const found = await fs.promises.lstat(path);
      if (found.isDirectory()) await fs.promises.rmdir(path, { recursive });
      else await fs.promises.unlink(path);
    } catch (error) {
      if (!(force && error.code === 'ENOENT')) throw error;
    }
  },
  /** In blocks of 1 kB, as df counts. */
  async statfs(path) {
    const { stdout } = await promisify(execFile)('df', ['-Pk', path]);
    const [, blocks, , bavail] = stdout.trim().split('\n').pop().split(/\s+/).map(Number);
    return { bsize: 1024, blocks, bavail, bfree: bavail };
  },
});
