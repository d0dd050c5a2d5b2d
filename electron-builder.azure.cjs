// As electron-builder.yml, signed by Azure Trusted Signing: `npm run package -- --config electron-builder.azure.cjs`. The names are those
// of the account; who may sign is in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, which Microsoft's module reads itself.
const { SIGNING_PUBLISHER, SIGNING_ENDPOINT, SIGNING_ACCOUNT, SIGNING_PROFILE } = process.env;

module.exports = {
  extends: './electron-builder.yml',
  win: {
    // The two exclude each other.
    signtoolOptions: null,
    azureSignOptions: {
      publisherName: SIGNING_PUBLISHER,
      endpoint: SIGNING_ENDPOINT,
      codeSigningAccountName: SIGNING_ACCOUNT,
      certificateProfileName: SIGNING_PROFILE,
    },
  },
};
