# Decodes a request of OTLP (on stdin) by OpenTelemetry's own protobuf definitions and prints it as JSON. What they do not know is
# an error: a field of ours that is wrong must not be passed over.
import sys

from google.protobuf.json_format import MessageToJson
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

request = ExportMetricsServiceRequest()
request.ParseFromString(sys.stdin.buffer.read())
if len(UnknownFieldSet(request)) > 0:
    sys.exit("unknown fields")
print(MessageToJson(request))
