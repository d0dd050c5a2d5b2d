// Amazon's packages for the app of the stand-in, as one script (workspace.ts bundles it).
export { AmazonConnectApp } from '@amazon-connect/app';
export { AgentClient, ContactClient } from '@amazon-connect/contact';
