// node:os with availableParallelism, which Node 12 has not.
const os = require('os');

module.exports = Object.assign({}, os, { availableParallelism: () => os.cpus().length });
