// What tests see of the stand-in for S3.
import type { S3AccessKey } from './authorise.ts';
import type { Fault, InjectedFault, Operation } from './faults.ts';
import type { KmsKeyState } from './settings.ts';
import type { StoredObject, StoredPart, Upload } from './store.ts';
import type { HeaderValues } from '../s3Signature.ts';

export type S3Object = StoredObject;
export type S3Upload = Omit<Upload, 'parts'> & { parts: StoredPart[] };

export interface S3ServerOptions {
  buckets: readonly string[];
  /** eu-west-1 unless told. */
  region?: string;
  /** One permanent key, TEST_KEY, unless told. */
  accessKeys?: readonly S3AccessKey[];
  /** Ids or ARNs of KMS keys that exist; ids become ARNs of the region and of account 123456789012. */
  kmsKeys?: readonly string[];
  /** Milliseconds since 1970; the machine's clock unless told. */
  clock?: () => number;
  /** 5 MiB unless told, as S3 has it. */
  minPartBytes?: number;
  /** Parts on a page of ListParts at most; 1000 unless told, as S3 has it. */
  listPartsPage?: number;
}

export interface RequestRecord {
  method: string;
  /** null: none that the server knows. */
  operation: Operation | null;
  bucket: string;
  key: string;
  partNumber: number | null;
  /** null while there is no answer, and when there never was one. */
  status: number | null;
  /** The S3 error answered, also where the status is 200. */
  errorCode: string | null;
  /** Of the body, as received. */
  bytes: number;
  /** Milliseconds since 1970, by the server's clock. */
  at: number;
  fault: Fault['kind'] | null;
  headers: HeaderValues;
}

export interface S3Server {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  /** Of a proxy that hands requests on as they came; null: there is none. */
  frontHost: string | null;
  /** May be changed: a token taken away, or expired by `expiresAtMs`. */
  accessKeys: S3AccessKey[];
  /** May be changed: a key disabled, or taken away. */
  readonly kmsKeys: Map<string, KmsKeyState>;
  objects(bucket: string): S3Object[];
  /** Stores an object without a request. */
  put(bucket: string, key: string, bytes: Buffer): void;
  /** Open multipart uploads, their parts by number. */
  uploads(bucket: string): S3Upload[];
  /** In the order of arrival. */
  readonly requests: readonly RequestRecord[];
  /** What a client that does everything right never does; tests of such a client expect none. */
  readonly problems: string[];
  /** Of all bodies, as received. */
  readonly bytesReceived: number;
  inject(fault: Fault): InjectedFault;
  /** Faults not yet used are gone, stalled requests go on. */
  clearFaults(): void;
  /** Connections are cut and new ones refused until `up`. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
  close(): Promise<void>;
}
