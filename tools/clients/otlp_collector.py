"""A collector of OpenTelemetry's: keeps what it is sent, and then says whether it is as published.

    otlp_collector.py listen FOLDER     prints its address; each body becomes a file of FOLDER
    otlp_collector.py check FOLDER      reads them by opentelemetry-proto
"""
import base64
import http.server
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[2])


class Collector(http.server.BaseHTTPRequestHandler):
    bodies = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
        Collector.bodies += 1
        (folder / f"{Collector.bodies}.json").write_bytes(body)
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def listen():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def as_bytes(span):
    """OTLP's JSON tells ids in hexadecimal, where protobuf's own has base64."""
    for name in ("traceId", "spanId", "parentSpanId"):
        if name in span:
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()


def check():
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    spans = {}
    for file in folder.glob("*.json"):
        body = json.loads(file.read_text())
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    as_bytes(span)
        # An unknown field, or one of another type, is an error.
        request = json_format.Parse(json.dumps(body), ExportTraceServiceRequest())
        names = {a.key: a.value.string_value for a in request.resource_spans[0].resource.attributes}
        assert names["service.name"] == "podium", names
        for span in request.resource_spans[0].scope_spans[0].spans:
            spans[span.span_id] = span
    assert spans, "no span was sent"
    below = 0
    for span in spans.values():
        assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
        assert span.start_time_unix_nano <= span.end_time_unix_nano, span
        assert span.kind in (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL), span
        if span.kind != Span.SPAN_KIND_INTERNAL:
            continue
        above = spans[span.parent_span_id]
        assert above.trace_id == span.trace_id and above.kind == Span.SPAN_KIND_SERVER, span
        assert above.start_time_unix_nano <= span.start_time_unix_nano, span
        assert span.name in ("retrieval", "ranking", "policy"), span
        below += 1
    assert below, "no stage has a span"
    print(f"opentelemetry-proto: {len(spans)} spans as published, {below} of stages")


listen() if sys.argv[1] == "listen" else check()
