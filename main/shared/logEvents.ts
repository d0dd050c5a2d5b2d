// Values of a log line's field `event`, for lines that `sightline doctor` reads. The wording of a line may change, these may not.

export const REQUEST_REFUSED = 'request-refused';
export const EVENT_BRIDGE_FAILED = 'event-bridge-failed';
export const EVENT_BRIDGE_RECOVERED = 'event-bridge-recovered';
