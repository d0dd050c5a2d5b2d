// Images as H.264 stores them: 8-bit YUV 4:2:0 in the video range, BT.709, like the frames of every run.

export interface Rgb {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** Coverage for each pixel, 0 to 255, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

type Plane = 'y' | 'u' | 'v';

export class YuvImage {
  /** The planes Y, U and V one after the other, as ffmpeg's `rawvideo` reads yuv420p. */
  readonly data: Buffer;
  private readonly planes: Readonly<Record<Plane, Buffer>>;

  /** @param width and height: even */
  constructor(
    readonly width: number,
    readonly height: number,
    background: Rgb,
  ) {
    const luma = width * height;
    this.data = Buffer.alloc(luma * 1.5);
    this.planes = {
      y: this.data.subarray(0, luma),
      u: this.data.subarray(luma, luma * 1.25),
      v: this.data.subarray(luma * 1.25),
    };
    const colour = toYuv(background);
    for (const plane of ['y', 'u', 'v'] as const) this.planes[plane].fill(Math.round(colour[plane]));
  }

  /** Blends the colour over the image where the mask covers it. Parts outside of the image are left out. */
  paint(mask: Mask, left: number, top: number, colour: Rgb): void {
    const yuv = toYuv(colour);
    const at = { x: Math.round(left), y: Math.round(top) };
    this.blend('y', yuv.y, at, mask);
    // A chroma sample covers 2x2 pixels, counted from the image's corner.
    const chroma = { x: Math.floor(at.x / 2), y: Math.floor(at.y / 2) };
    const halved = halve(mask, at.x - chroma.x * 2, at.y - chroma.y * 2);
    this.blend('u', yuv.u, chroma, halved);
    this.blend('v', yuv.v, chroma, halved);
  }

  /** The samples of one macroblock in the order of I_PCM (ITU-T H.264, 7.3.5): 256 Y, 64 U, 64 V. */
  macroblock(column: number, row: number): Buffer {
    const block = (plane: Plane, size: number, stride: number): Buffer[] =>
      Array.from({ length: size }, (_, line) => {
        const at = (row * size + line) * stride + column * size;
        return this.planes[plane].subarray(at, at + size);
      });
    const half = this.width / 2;
    return Buffer.concat([...block('y', 16, this.width), ...block('u', 8, half), ...block('v', 8, half)]);
  }

  private blend(name: Plane, value: number, at: { x: number; y: number }, mask: Mask): void {
    const plane = this.planes[name];
    const [width, height] = name === 'y' ? [this.width, this.height] : [this.width / 2, this.height / 2];
    for (let row = Math.max(0, -at.y); row < Math.min(mask.height, height - at.y); row += 1) {
      for (let column = Math.max(0, -at.x); column < Math.min(mask.width, width - at.x); column += 1) {
        const cover = (mask.data[row * mask.width + column] ?? 0) / 255;
        if (cover === 0) continue;
        const index = (at.y + row) * width + at.x + column;
        const below = plane[index] ?? 0;
        plane[index] = Math.round(below + (value - below) * cover);
      }
    }
  }
}

/** The mean of 2x2 pixels. @param x and y: 0 or 1, where the mask begins in its first 2x2 pixels */
function halve(mask: Mask, x: number, y: number): Mask {
  const width = Math.ceil((mask.width + x) / 2);
  const height = Math.ceil((mask.height + y) / 2);
  const sums = new Uint16Array(width * height);
  mask.data.forEach((cover, index) => {
    const row = Math.floor(index / mask.width);
    const at = Math.floor((row + y) / 2) * width + Math.floor(((index % mask.width) + x) / 2);
    sums[at] = (sums[at] ?? 0) + cover;
  });
  return { width, height, data: Uint8Array.from(sums, (sum) => sum / 4) };
}

/** BT.709 in the video range (ITU-R BT.709-6, items 3 and 4). */
function toYuv({ red, green, blue }: Rgb): Record<Plane, number> {
  const luma = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
  return {
    y: 16 + 219 * luma,
    u: 128 + (224 * (blue / 255 - luma)) / 1.8556,
    v: 128 + (224 * (red / 255 - luma)) / 1.5748,
  };
}
