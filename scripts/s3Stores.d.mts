// Types of s3Stores.mjs, for the tests.
export function motoFolder(): string | null;
export function cfnFolders(): [string, string] | null;
export function otlpFolder(): string | null;
export function s3MockJar(): string | null;
