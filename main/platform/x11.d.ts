// The part of the package x11 (https://github.com/sidorares/node-x11, docs/ext/randr.md) that capture and indicator use; the
// package has no types of its own. The test rig adds what it draws with (test/rig/x11.d.ts).
declare module 'x11' {
  import type { EventEmitter } from 'node:events';

  export type Callback<T> = (error: Error | null, value: T) => void;

  export interface RandrExtension {
    QueryVersion(major: number, minor: number, done: Callback<[number, number]>): void;
    GetScreenResourcesCurrent(window: number, done: Callback<{ crtcs: number[]; outputs: number[] }>): void;
    SelectInput(window: number, mask: number): void;
    GetOutputInfo(output: number, timestamp: number, done: Callback<{ crtc: number; name: string }>): void;
    GetOutputPrimary(window: number, done: Callback<number>): void;
    GetCrtcInfo(
      crtc: number,
      timestamp: number,
      done: Callback<{ x: number; y: number; width: number; height: number; mode: number; output: number[] }>,
    ): void;
  }

  export interface Screen {
    root: number;
    pixel_width: number;
    pixel_height: number;
  }

  export interface Client extends EventEmitter {
    QueryExtension(name: string, done: Callback<{ present: number | boolean }>): void;
    QueryTree(window: number, done: Callback<{ children: number[] }>): void;
    ChangeWindowAttributes(window: number, values: { eventMask: number }): void;
    RaiseWindow(window: number): void;
    require(extension: 'randr', done: Callback<RandrExtension>): void;
    terminate(): void;
  }

  export interface Display {
    client: Client;
    screen: Screen[];
  }

  export interface EventMasks {
    readonly SubstructureNotify: number;
  }

  export interface X11 {
    createClient(
      options: { display: string },
      done: (error: Error | undefined, display: Display) => void,
    ): Client;
    eventMask: EventMasks;
  }

  const x11: X11;
  export default x11;
}
