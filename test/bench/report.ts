// The benchmark's result as a Markdown table.
import type { Quality } from './quality.ts';
import type { SceneResult, Weight } from './weigh.ts';

export function tableOf(results: readonly SceneResult[]): string {
  const head = [
    '| scene | recorder | % of a core | ratio | kB a minute | of it, the scene | peak MiB | SSIM | worst | OCR 9 px | OCR 11 px |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  const rows = results.flatMap(({ scene, weights, losslessQuality }) => [
    ...weights.map(
      (one) => `| ${scene} | ${one.recorder} | ${weightCells(one)} | ${qualityCells(one.quality)} |`,
    ),
    ...(losslessQuality === null
      ? []
      : [`| ${scene} | lossless | | | | | | ${qualityCells(losslessQuality)} |`]),
  ]);
  return [...head, ...rows].join('\n');
}

function weightCells(one: Weight): string {
  return [
    one.percentOfCore.toFixed(1),
    one.ratio?.toFixed(2) ?? '',
    whole(one.kilobytesPerMinute),
    whole(one.sceneKilobytesPerMinute),
    whole(one.peakMiB),
  ].join(' | ');
}

function qualityCells(quality: Quality | null): string {
  if (quality === null) return ' | | | ';
  const { ssim, worstSsim, ocr9, ocr11 } = quality;
  return [ssim.toFixed(4), worstSsim.toFixed(4), share(ocr9), share(ocr11)].join(' | ');
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
