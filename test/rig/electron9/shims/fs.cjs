// node:fs with rmSync, which Node 12 has not. Properties are copied, for imports by name.
const fs = require('fs');

module.exports = Object.assign({}, fs, {
  rmSync(path, { force = false } = {}) {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if (!(force && error.code === 'ENOENT')) throw error;
    }
  },
});
