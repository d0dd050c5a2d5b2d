export const bundledPackages: readonly string[];
export function buildReviewPage(): Promise<{ readonly gzipBytes: number }>;
