using System.Buffers.Binary;
using System.Text.Json;

namespace PsyLite.Models.Safetensors;

/// <summary>
/// The part of a safetensors file before the data: 8 bytes of length, then JSON. Every length is checked against the file before anything
/// is allocated, and the tensors must fill the data without gaps or overlaps, as the format demands.
/// </summary>
/// <remarks>Source: the format section of the safetensors README and its limits (100 MB of header).</remarks>
internal static class SafetensorsHeader
{
    internal const string MetadataKey = "__metadata__";

    private const int LengthBytes = sizeof(ulong);
    private const long MaxBytes = 100_000_000;
    private const int MaxDimensions = 8;

    internal static (List<SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) Read(Stream stream, string path)
    {
        var length = stream.Length;
        Span<byte> start = stackalloc byte[LengthBytes];
        if (length < LengthBytes)
        {
            throw NotThisFormat();
        }

        stream.ReadExactly(start);
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (headerBytes < 2 || headerBytes > MaxBytes || headerBytes > (ulong)(length - LengthBytes))
        {
            throw headerBytes > MaxBytes ? NotThisFormat() : new InvalidDataException("truncated or damaged safetensors file: its header does not fit into it; download it again.");
        }

        var header = new byte[headerBytes];
        stream.ReadExactly(header);
        if (header[0] != (byte)'{')
        {
            throw NotThisFormat();
        }

        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            return ReadEntries(json.RootElement, path, LengthBytes + (long)headerBytes, length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("damaged safetensors file: its header is not the JSON that the format asks for; download it again.", e);
        }
    }

    private static InvalidDataException NotThisFormat() => new("not a safetensors file (it does not begin with the length of a JSON header).");

    private static (List<SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) ReadEntries(JsonElement root, string path, long dataStart, long fileLength)
    {
        var tensors = new List<SafetensorsTensor>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in root.EnumerateObject())
        {
            if (entry.Name == MetadataKey)
            {
                foreach (var pair in entry.Value.EnumerateObject())
                {
                    metadata.Add(pair.Name, pair.Value.GetString() ?? "");
                }
            }
            else
            {
                tensors.Add(ReadTensor(entry, path, dataStart, fileLength));
            }
        }

        CheckPlaces(tensors, dataStart, fileLength);
        return (tensors, metadata);
    }

    private static SafetensorsTensor ReadTensor(JsonProperty entry, string path, long dataStart, long fileLength)
    {
        if (!entry.Value.TryGetProperty("dtype", out var dtype) || !entry.Value.TryGetProperty("shape", out var sizes) || !entry.Value.TryGetProperty("data_offsets", out var offsets)
            || sizes.GetArrayLength() > MaxDimensions || offsets.GetArrayLength() != 2)
        {
            throw new InvalidDataException($"damaged safetensors file: the entry of the tensor {ErrorText.Quote(entry.Name)} lacks its type, shape or place.");
        }

        var typeName = dtype.GetString() ?? "";
        if (!Enum.TryParse<SafetensorsType>(typeName, out var type) || type.ToString() != typeName)
        {
            throw new InvalidDataException($"the tensor {ErrorText.Quote(entry.Name)} of this safetensors file is stored as {ErrorText.Quote(typeName)}, which cannot be read.");
        }

        var shape = new long[sizes.GetArrayLength()];
        var bytes = (long)SafetensorsTypes.BytesOf(type);
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = sizes[i].GetInt64();
            if (shape[i] < 0 || (shape[i] > 0 && bytes > fileLength / shape[i]))
            {
                throw Misplaced(entry.Name);
            }

            bytes *= shape[i];
        }

        var (begin, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        return begin >= 0 && end >= begin && end <= fileLength - dataStart && end - begin == bytes
            ? new SafetensorsTensor(entry.Name, type, shape, path, dataStart + begin, bytes)
            : throw Misplaced(entry.Name);
    }

    private static InvalidDataException Misplaced(string name) =>
        new($"truncated or damaged safetensors file: the tensor {ErrorText.Quote(name)} does not lie where its shape says; download it again.");

    private static void CheckPlaces(List<SafetensorsTensor> tensors, long dataStart, long fileLength)
    {
        var position = dataStart;
        foreach (var tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.ByteCount))
        {
            if (tensor.Offset != position)
            {
                throw Misplaced(tensor.Name);
            }

            position += tensor.ByteCount;
        }

        if (position != fileLength)
        {
            throw new InvalidDataException($"damaged safetensors file: {fileLength - position} bytes at its end belong to no tensor; download it again.");
        }
    }
}
