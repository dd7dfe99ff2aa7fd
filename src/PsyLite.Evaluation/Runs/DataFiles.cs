using System.Security.Cryptography;
using System.Text;

namespace PsyLite.Evaluation.Runs;

/// <summary>Text files of a data set, with one hash over all of them.</summary>
public sealed class DataFiles(string folder)
{
    /// <summary>No file of any of these benchmarks comes near it.</summary>
    private const long MostBytes = 256L << 20;

    private readonly SortedDictionary<string, byte[]> _hashes = new(StringComparer.Ordinal);

    public string Folder => folder;

    /// <summary>SHA-256 over names and contents of what was read so far.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData([.. _hashes.SelectMany(h => (byte[])[.. Encoding.UTF8.GetBytes(h.Key + "\n"), .. h.Value])]));

    /// <param name="name">Path below the folder, with slashes.</param>
    /// <exception cref="InvalidDataException">It is too large to be what it should be, or no UTF-8.</exception>
    public string Read(string name)
    {
        var path = Path.Combine(folder, name);
        if (new FileInfo(path).Length > MostBytes)
        {
            throw new InvalidDataException($"{path} is larger than {MostBytes >> 20} MiB, which no file of this data set is.");
        }

        var bytes = File.ReadAllBytes(path);
        _hashes[name] = SHA256.HashData(bytes);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsSpan(3) : bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{path} is not UTF-8.", e);
        }
    }
}
