using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace PsyLite.Server.Observability;

/// <summary>
/// Adds up what one meter's instruments report and writes it in the text format of Prometheus, version 0.0.4. An instrument's name is the
/// metric's.
/// </summary>
internal sealed class PrometheusExporter : IDisposable
{
    /// <summary>Series of one instrument; more would mean that something unbounded became a label.</summary>
    private const int MostSeries = 500;

    /// <summary>Upper bounds in seconds: from the assessment's microseconds to a slow machine's minutes.</summary>
    private static readonly double[] Bounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Metric> _metrics = new(StringComparer.Ordinal);

    public PrometheusExporter(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                lock (_lock)
                {
                    _metrics.TryAdd(instrument.Name, new Metric(instrument));
                }

                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_lock)
        {
            foreach (var metric in _metrics.Values)
            {
                metric.Write(text);
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_lock)
        {
            if (_metrics.TryGetValue(instrument.Name, out var metric))
            {
                metric.Record(labels, value);
            }
        }
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            var escaped = (value?.ToString() ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"").Append(escaped).Append('"');
        }

        return text.ToString();
    }

    /// <summary>One instrument with its series.</summary>
    private sealed class Metric(Instrument instrument)
    {
        private readonly string _kind = instrument switch
        {
            Histogram<double> => "histogram",
            { IsObservable: true } when instrument.Name.EndsWith("_total", StringComparison.Ordinal) => "counter",
            { IsObservable: true } => "gauge",
            _ => "counter",
        };

        private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

        public void Record(string labels, double value)
        {
            if (!_series.TryGetValue(labels, out var series))
            {
                if (_series.Count >= MostSeries)
                {
                    return;
                }

                _series[labels] = series = new Series();
            }

            series.Sum = instrument.IsObservable ? value : series.Sum + value;
            series.Count++;
            if (_kind == "histogram")
            {
                var bucket = Array.FindIndex(Bounds, b => value <= b);
                series.Buckets[bucket < 0 ? Bounds.Length : bucket]++;
            }
        }

        public void Write(StringBuilder text)
        {
            text.Append("# HELP ").Append(instrument.Name).Append(' ').Append(instrument.Description).Append('\n');
            text.Append("# TYPE ").Append(instrument.Name).Append(' ').Append(_kind).Append('\n');
            foreach (var (labels, series) in _series)
            {
                if (_kind == "histogram")
                {
                    WriteHistogram(text, labels, series);
                }
                else
                {
                    Line(text, instrument.Name, labels, series.Sum);
                }
            }
        }

        private void WriteHistogram(StringBuilder text, string labels, Series series)
        {
            long below = 0;
            for (var i = 0; i <= Bounds.Length; i++)
            {
                below += series.Buckets[i];
                var bound = i < Bounds.Length ? Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                Line(text, instrument.Name + "_bucket", $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"", below);
            }

            Line(text, instrument.Name + "_sum", labels, series.Sum);
            Line(text, instrument.Name + "_count", labels, series.Count);
        }

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
            {
                text.Append('{').Append(labels).Append('}');
            }

            text.Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
        }

        private sealed class Series
        {
            public double Sum { get; set; }

            public long Count { get; set; }

            public long[] Buckets { get; } = new long[Bounds.Length + 1];
        }
    }
}
