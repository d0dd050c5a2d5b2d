# Adds a root certificate to the system's store as Chromium reads it on Linux: NSS's database in a home folder. certutil would do
# it, too, but is not everywhere; the library comes with Chromium.
# python3 trustRoot.py HOME CERTIFICATE.der
import ctypes
import os
import sys

home, certificate = sys.argv[1:3]
folder = os.path.join(home, '.pki/nssdb')
os.makedirs(folder, exist_ok=True)
nss, smime = ctypes.CDLL('libnss3.so'), ctypes.CDLL('libsmime3.so')
pointer = ctypes.c_void_p
for function in (nss.PK11_GetInternalKeySlot, nss.CERT_GetDefaultCertDB, smime.CERT_DecodeCertFromPackage):
    function.restype = pointer


class Trust(ctypes.Structure):
    _fields_ = [('ssl', ctypes.c_uint), ('email', ctypes.c_uint), ('signing', ctypes.c_uint)]


def must(failed):
    if failed:
        sys.exit('NSS refuses: %d' % nss.PORT_GetError())


must(nss.NSS_InitReadWrite(('sql:' + folder).encode()))
slot = pointer(nss.PK11_GetInternalKeySlot())
if nss.PK11_NeedUserInit(slot):
    must(nss.PK11_InitPin(slot, None, b''))
data = open(certificate, 'rb').read()
found = pointer(smime.CERT_DecodeCertFromPackage(data, len(data)))
must(found.value is None)
must(nss.PK11_ImportCert(slot, found, ctypes.c_ulong(0), os.path.basename(certificate).encode(), 0))
trust = Trust()
must(nss.CERT_DecodeTrustString(ctypes.byref(trust), b'C,,'))
must(nss.CERT_ChangeCertTrust(pointer(nss.CERT_GetDefaultCertDB()), found, ctypes.byref(trust)))
