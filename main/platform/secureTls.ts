// Certificates are always checked: tokens, credentials and recordings go over these connections. Node lets a variable of
// the environment switch that off for every client in the process, libraries included, so it is taken away before the
// first of them connects. A company's own authority is added by NODE_EXTRA_CA_CERTS.

/** @returns what to log when it was set */
export function insistOnCertificates(environment: NodeJS.ProcessEnv = process.env): string | null {
  const wasOff = environment.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  // Node reads it anew for each connection (lib/_tls_wrap.js).
  delete environment.NODE_TLS_REJECT_UNAUTHORIZED;
  return wasOff
    ? 'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked. Add your own authority with NODE_EXTRA_CA_CERTS.'
    : null;
}
