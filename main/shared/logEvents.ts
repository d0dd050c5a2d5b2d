// Names of log lines that are read again (by `sightline doctor`), in their field `event`: wording may change, these not.

export const REQUEST_REFUSED = 'request-refused';
