using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;

namespace PsyLite.Server.Observability;

/// <summary>Sends the traces of turns to a collector, where one is configured.</summary>
internal sealed class TraceExport(string? address) : IDisposable
{
    private readonly TracerProvider? _traces = address is null ? null : Sdk.CreateTracerProviderBuilder()
        .AddSource(Telemetry.Source)

        // The span of the request around a turn is nobody's and not sampled; the default would follow it.
        .SetSampler(new AlwaysOnSampler())
        .AddOtlpExporter(otlp => (otlp.Endpoint, otlp.Protocol) = (new Uri(address.TrimEnd('/') + "/v1/traces"), OtlpExportProtocol.HttpProtobuf))
        .Build();

    public void Dispose() => _traces?.Dispose();
}
