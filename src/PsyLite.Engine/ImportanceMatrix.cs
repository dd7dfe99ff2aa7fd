using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>
/// How much each input column of each matrix matters, as llama-imatrix measured it on a text; in GGUF or in the older format of its own.
/// </summary>
/// <remarks>Source: common/imatrix-loader.cpp and tools/quantize/quantize.cpp of llama.cpp v0.5.0.</remarks>
public sealed class ImportanceMatrix
{
    private const string SumsSuffix = ".in_sum2";
    private const string CountsSuffix = ".counts";
    private const int MaxNameBytes = 1024;

    private ImportanceMatrix(string path, Dictionary<string, float[]> entries, string? dataset, int chunks) =>
        (FilePath, Entries, Dataset, Chunks) = (path, entries, dataset, chunks);

    /// <summary>The file as it was given to <see cref="Read"/>; a quantised file names it.</summary>
    public string FilePath { get; }

    /// <summary>Mean square of each input column, by GGUF name of the matrix.</summary>
    public IReadOnlyDictionary<string, float[]> Entries { get; }

    /// <summary>The text that it was measured on, or null.</summary>
    public string? Dataset { get; }

    /// <summary>Pieces of that text; 0 when unknown.</summary>
    public int Chunks { get; }

    /// <summary>Reads a file of either format.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged or no importance matrix.</exception>
    public static ImportanceMatrix Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: there is no such importance matrix; make one with llama-imatrix.", path);
        }

        using var stream = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[4];
        return stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual("GGUF"u8)
            ? ReadGguf(path)
            : ReadOld(path, stream);
    }

    private static ImportanceMatrix ReadGguf(string path)
    {
        using var file = GgufReader.Open(path);
        var chunks = file.Metadata.Get<int>("imatrix.chunk_count");
        var datasets = file.Metadata.Get<string[]>("imatrix.datasets");
        var entries = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (var sums in file.Tensors.Where(t => t.Name.EndsWith(SumsSuffix, StringComparison.Ordinal)))
        {
            var name = sums.Name[..^SumsSuffix.Length];
            var counts = file.Tensor(name + CountsSuffix);
            if (sums.Type != GgmlType.F32 || counts.Type != GgmlType.F32 || counts.Count == 0 || sums.Count % counts.Count != 0 || sums.Count > Array.MaxLength)
            {
                throw new InvalidDataException($"{path}: the sums and counts of {name} do not fit together; measure the matrix again.");
            }

            entries.Add(name, Means(file, sums, counts));
        }

        return entries.Count > 0
            ? new ImportanceMatrix(path, entries, datasets.FirstOrDefault(), chunks)
            : throw new InvalidDataException($"{path}: not an importance matrix (it has no {SumsSuffix} tensors); make one with llama-imatrix.");
    }

    /// <summary>Sums by the number of tokens that passed; ones where none did.</summary>
    private static float[] Means(GgufReader file, GgufTensor sums, GgufTensor counts)
    {
        var (means, passed) = (new float[sums.Count], new float[counts.Count]);
        file.ReadFloats(sums, 0, means);
        file.ReadFloats(counts, 0, passed);
        var columns = means.Length / passed.Length;
        for (var i = 0; i < means.Length; i++)
        {
            var count = (float)Math.Round(passed[i / columns], MidpointRounding.AwayFromZero);
            means[i] = count > 0 ? means[i] / count : 1;
        }

        return means;
    }

    /// <summary>Little-endian int32 counts: entries; of each its name, calls and values; then perhaps chunks and the text's name.</summary>
    private static ImportanceMatrix ReadOld(string path, FileStream stream)
    {
        stream.Position = 0;
        var entries = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (var left = Count(1); left > 0; left--)
        {
            var name = Name(Count(1));
            var calls = Count(0);
            var values = new float[Count(sizeof(float))];
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            for (var i = 0; calls > 0 && i < values.Length; i++)
            {
                values[i] /= calls;
            }

            entries[name] = values;
        }

        var (chunks, dataset) = (0, (string?)null);
        if (stream.Length - stream.Position >= sizeof(int))
        {
            chunks = Count(0);
            dataset = stream.Length - stream.Position >= sizeof(int) ? Name(Count(1)) : null;
        }

        return entries.Count > 0 ? new ImportanceMatrix(path, entries, dataset, chunks) : throw Damaged();

        InvalidDataException Damaged() => new($"{path}: not an importance matrix, or a damaged one; make one with llama-imatrix.");

        int Count(int bytesEach)
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) != bytes.Length)
            {
                throw Damaged();
            }

            var count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            return count >= 0 && (long)count * bytesEach <= stream.Length - stream.Position ? count : throw Damaged();
        }

        string Name(int length)
        {
            if (length > MaxNameBytes)
            {
                throw Damaged();
            }

            var bytes = new byte[length];
            stream.ReadExactly(bytes);
            return Encoding.UTF8.GetString(bytes);
        }
    }
}
