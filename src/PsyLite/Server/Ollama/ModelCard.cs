using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PsyLite.Models.Gguf;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite.Server.Ollama;

/// <summary>What Ollama's clients want to know of a model, read from the header of the configured file.</summary>
internal sealed record ModelCard(string Family, string Quantization, long Context, long Parameters, long Bytes, DateTimeOffset ModifiedAt, string Digest, string Licence)
{
    /// <summary>The card of the configured model; of an engine elsewhere or a file that cannot be read little is known.</summary>
    public static ModelCard Of(AppOptions options)
    {
        var unknown = new ModelCard("unknown", "unknown", options.Context, 0, 0, DateTimeOffset.UnixEpoch, Name(options.ModelPath), "");
        try
        {
            var file = new FileInfo(options.ModelPath);
            if (!file.Exists)
            {
                return unknown;
            }

            var (architecture, quantization, context, licence) = ModelFolder.Describe(file.FullName);
            using var gguf = GgufReader.Open(file.FullName);
            return new ModelCard(
                architecture is { Length: > 0 } ? architecture : "unknown", quantization ?? "unknown", context > 0 ? context : options.Context,
                gguf.Tensors.Sum(t => t.Count), file.Length, file.LastWriteTimeUtc, Name($"{file.Name}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}"), licence ?? "");
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return unknown;
        }
    }

    public JsonObject Details() => new()
    {
        ["parent_model"] = "",
        ["format"] = "gguf",
        ["family"] = Family,
        ["families"] = new JsonArray(Family),
        ["parameter_size"] = Parameters >= 1_000_000_000
            ? (Parameters / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + "B"
            : (Parameters / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + "M",
        ["quantization_level"] = Quantization,
    };

    /// <summary>64 hexadecimal digits that change with the file. Hashing gigabytes for a list would cost more than it tells.</summary>
    private static string Name(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
