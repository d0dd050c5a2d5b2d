// node:crypto with getRandomValues, randomUUID, hkdfSync and Hash.copy, which Node 12 has not.
const crypto = require('crypto');

/** A copy gets what the hash got. */
function createHash(...how) {
  const hash = crypto.createHash(...how);
  const { update } = hash;
  const got = [];
  hash.update = (...data) => {
    got.push(data);
    update.apply(hash, data);
    return hash;
  };
  hash.copy = () => got.reduce((copy, data) => copy.update(...data), createHash(...how));
  return hash;
}

module.exports = Object.assign(Object.create(crypto), {
  createHash,
  randomBytes: crypto.randomBytes,
  getRandomValues: (values) => crypto.randomFillSync(values),
  randomUUID() {
    const bytes = crypto.randomBytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  },
  /** RFC 5869. */
  hkdfSync(digest, key, salt, info, length) {
    const hmac = (secret, data) => crypto.createHmac(digest, secret).update(data).digest();
    const extracted = hmac(salt.length === 0 ? Buffer.alloc(hmac('', '').length) : salt, key);
    let [block, out] = [Buffer.alloc(0), Buffer.alloc(0)];
    for (let count = 1; out.length < length; count += 1) {
      block = hmac(extracted, Buffer.concat([block, Buffer.from(info), Buffer.from([count])]));
      out = Buffer.concat([out, block]);
    }
    const { buffer, byteOffset } = out;
    return buffer.slice(byteOffset, byteOffset + length);
  },
});
