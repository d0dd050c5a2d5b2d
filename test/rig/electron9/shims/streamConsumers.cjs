// Of stream/consumers (Node 16), what Sightline uses.
'use strict';

exports.buffer = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
