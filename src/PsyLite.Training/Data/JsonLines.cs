using System.Text;
using System.Text.Json;

namespace PsyLite.Training.Data;

/// <summary>Training data in files with one JSON object a line; a wrong line is named by file and number.</summary>
public static class JsonLines
{
    private const int MaxLineCharacters = 8 << 20;

    /// <summary>Alpaca rows (<c>instruction</c>, <c>input</c>, <c>output</c>) or conversations (<c>messages</c>).</summary>
    /// <exception cref="InvalidDataException">A file is missing or has a wrong line.</exception>
    public static List<TrainingSample> Samples(IEnumerable<string> paths) => Read(paths, line => Alpaca(line) ?? TrainingSample.FromJson(line));

    /// <summary>Preference pairs.</summary>
    /// <exception cref="InvalidDataException">A file is missing or has a wrong line.</exception>
    public static List<PreferencePair> Pairs(IEnumerable<string> paths) => Read(paths, PreferencePair.FromJson);

    /// <summary>About one item in so many goes to validation, by a hash of its text: the same ones in every run.</summary>
    public static (List<T> Train, List<T> Held) Split<T>(IEnumerable<T> items, Func<T, string> text, double heldShare)
    {
        var parts = items.ToLookup(item => Hash(text(item)) < heldShare * uint.MaxValue);
        return ([.. parts[false]], [.. parts[true]]);
    }

    private static List<T> Read<T>(IEnumerable<string> paths, Func<string, T> parse)
    {
        var items = new List<T>();
        foreach (var path in paths)
        {
            if (!File.Exists(path))
            {
                throw new InvalidDataException($"the data file {path} does not exist; give JSONL files in the recipe's data.");
            }

            var number = 0;
            foreach (var line in File.ReadLines(path, Encoding.UTF8))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                {
                    continue;
                }

                try
                {
                    items.Add(line.Length <= MaxLineCharacters ? parse(line) : throw new InvalidDataException($"the line is longer than {MaxLineCharacters} characters."));
                }
                catch (InvalidDataException e)
                {
                    throw new InvalidDataException($"{path}, line {number}: {e.Message}", e);
                }
            }
        }

        return items;
    }

    /// <summary>The row as XTuner's alpaca map and template make it: a newline stands behind the instruction even when the input is empty.</summary>
    private static TrainingSample? Alpaca(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 16 });
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("instruction", out var instruction))
            {
                return null;
            }

            var input = json.RootElement.TryGetProperty("input", out var more) ? more.GetString() ?? "" : "";
            var output = json.RootElement.TryGetProperty("output", out var reply) ? reply.GetString() : null;
            return output is null
                ? throw new InvalidDataException("an alpaca row needs an output.")
                : new TrainingSample("alpaca", "", [.. History(json.RootElement), new SampleMessage("user", $"{instruction.GetString()}\n{input}"), new SampleMessage("assistant", output)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("not a JSON row with instruction, input and output.", e);
        }
    }

    /// <summary>Earlier turns as pairs of question and reply, where a row has them in a field of their own.</summary>
    private static IEnumerable<SampleMessage> History(JsonElement row)
    {
        if (!row.TryGetProperty("history", out var history) || history.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }

        foreach (var turn in history.EnumerateArray())
        {
            if (turn.GetArrayLength() != 2)
            {
                throw new InvalidDataException("a turn of history is a question and a reply.");
            }

            yield return new SampleMessage("user", turn[0].GetString() ?? "");
            yield return new SampleMessage("assistant", turn[1].GetString() ?? "");
        }
    }

    /// <summary>FNV-1a and a finaliser: stable between runs and machines, unlike string.GetHashCode.</summary>
    private static uint Hash(string text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 16777619u;
        }

        hash = (hash ^ (hash >> 16)) * 0x7FEB352Du;
        return hash ^ (hash >> 15);
    }
}
