// The RandR part of the package x11 (https://github.com/sidorares/node-x11, docs/ext/randr.md), which has no types.
declare module 'x11' {
  type Callback<T> = (error: Error | null, value: T) => void;

  export interface RandrExtension {
    QueryVersion(major: number, minor: number, done: Callback<[number, number]>): void;
    GetScreenResources(window: number, done: Callback<{ crtcs: number[]; outputs: number[] }>): void;
    GetOutputInfo(output: number, timestamp: number, done: Callback<{ crtc: number; name: string }>): void;
    GetOutputPrimary(window: number, done: Callback<number>): void;
    GetCrtcInfo(
      crtc: number,
      timestamp: number,
      done: Callback<{ x: number; y: number; width: number; height: number; mode: number; output: number[] }>,
    ): void;
  }

  export interface Client {
    require(extension: 'randr', done: Callback<RandrExtension>): void;
  }
}
