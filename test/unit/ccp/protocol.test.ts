// The page side has its own types of the protocol, so that its package depends on nothing. That they agree with the recorder's
// is proved by the compiler: this file does not compile otherwise.
import { expect, it } from 'vitest';
import * as recorder from '../../../main/shared/protocol.ts';
import * as page from '../../../ccp/src/protocol.ts';

/** `From` may be given where `To` is expected. */
type Fits<From extends To, To> = From extends To ? true : never;

/** What a page sends, the recorder accepts. */
export type Sent = [
  Fits<Omit<page.HelloFields, 'protocol'>, Omit<recorder.Hello, 'type' | 'protocol'>>,
  Fits<Mutable<page.StartFields>, Omit<recorder.ContactStart, 'type'>>,
  Fits<keyof page.Requests, recorder.Request['type']>,
];
/** What the recorder sends, a page understands. */
export type Received = [
  Fits<recorder.HelloReply, page.HelloReply>,
  Fits<recorder.StartReply, page.StartReply>,
  Fits<recorder.SuspendReply, page.SuspendReply>,
  Fits<recorder.ResumeReply, page.ResumeReply>,
  Fits<recorder.StopReply, page.StopReply>,
  Fits<recorder.RequestFailure, page.RequestFailure>,
  Fits<recorder.AppStatePush, page.AppStatePush>,
  Fits<recorder.ContactResumedPush, page.ContactResumedPush>,
  Fits<recorder.HealthReply, page.HealthReply>,
  Fits<recorder.Push['type'], page.Push['type']>,
  Fits<page.Push['type'], recorder.Push['type']>,
];
type Mutable<T> = {
  -readonly [Key in keyof T]: T[Key] extends Readonly<Record<string, string>> | undefined
    ? Record<string, string>
    : T[Key];
};

it('has the same numbers on both sides', () => {
  expect(page.PROTOCOL_VERSION).toBe(recorder.PROTOCOL_VERSION);
  expect(page.MAX_FRAME_BYTES).toBe(recorder.MAX_FRAME_BYTES);
});
