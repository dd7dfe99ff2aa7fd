using System.Text.Encodings.Web;
using System.Text.Json;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Commands;

/// <summary>Turns and verdicts as the JSON that commands print.</summary>
internal static class TurnJson
{
    /// <summary>Chinese stays readable.</summary>
    public static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly JsonWriterOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };

    public static void WriteTurn(Utf8JsonWriter json, TurnResult result, double loadMs)
    {
        json.WriteStartObject();
        json.WriteNumber("route", (int)result.Assessment.Route);
        json.WriteStartObject("risk");
        json.WriteString("tier", result.Assessment.Tier.ToString());
        json.WriteNumber("score", Math.Round(result.Assessment.Score, 4));
        WriteSignals(json, result.Assessment.Signals);
        json.WriteEndObject();
        json.WriteString("reasoning", result.Reasoning);
        json.WriteString("reply", result.Reply);
        json.WritePropertyName("crosstalk");
        WriteCrosstalk(json, result.Crosstalk);
        json.WriteStartObject("timings");
        json.WriteNumber("loadMs", Math.Round(loadMs, 2));
        json.WriteNumber("assessMs", Math.Round(result.Timings.AssessMs, 2));
        json.WriteNumber("judgeMs", Math.Round(result.Timings.JudgeMs, 2));
        json.WriteNumber("firstTokenMs", Math.Round(result.Timings.FirstTokenMs, 2));
        json.WriteNumber("totalMs", Math.Round(result.Timings.TotalMs, 2));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteSignals(Utf8JsonWriter json, IReadOnlyList<RiskSignal> signals)
    {
        json.WriteStartArray("signals");
        foreach (var signal in signals)
        {
            json.WriteStartObject();
            json.WriteString("rule", signal.Rule);
            json.WriteString("tier", signal.Tier.ToString());
            json.WriteNumber("start", signal.Start);
            json.WriteNumber("length", signal.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCrosstalk(Utf8JsonWriter json, CrosstalkPiece? piece)
    {
        if (piece is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("id", piece.Id);
        json.WriteString("title", piece.Title);
        json.WriteStartArray("lines");
        foreach (var line in piece.Lines)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
