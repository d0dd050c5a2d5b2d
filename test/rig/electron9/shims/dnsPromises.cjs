// node:dns/promises, which Node 12 has under another name.
module.exports = require('dns').promises;
