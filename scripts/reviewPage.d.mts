export function buildReviewPage(): Promise<{ readonly gzipBytes: number }>;
