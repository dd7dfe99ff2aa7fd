using System.Buffers;
using System.Text;
using System.Text.Json;

namespace PsyLite.Models.Safetensors;

/// <summary>
/// Writes safetensors: declare the tensors, then <see cref="WriteFile"/> or <see cref="WriteFolder"/>. Data is streamed from its source in
/// small parts; every file is checked by reading it back before it takes its name.
/// </summary>
public sealed class SafetensorsWriter
{
    /// <summary>Most bytes of tensors in one shard, as HuggingFace writes them.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private const int Alignment = 8;

    private readonly List<(SafetensorsTensor Tensor, TensorSource Source)> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    // Without "format" the transformers library refuses the file.
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal) { ["format"] = "pt" };

    /// <summary>Bytes of all tensors added so far.</summary>
    public long DataBytes => _tensors.Sum(t => t.Tensor.ByteCount);

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Any text, once.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="source">Shape and elements.</param>
    /// <exception cref="ArgumentException">The type cannot be written, or the name was added before.</exception>
    public SafetensorsWriter Add(string name, SafetensorsType type, TensorSource source)
    {
        if (SafetensorsTypes.FloatOf(type) is null || name.Length == 0 || name == SafetensorsHeader.MetadataKey || !_names.Add(name))
        {
            throw new ArgumentException($"The tensor {ErrorText.Quote(name)} of type {type} has a name already in use, or a type that cannot be written.", nameof(name));
        }

        _tensors.Add((new SafetensorsTensor(name, type, [.. source.Shape], "", 0, checked(source.Count * SafetensorsTypes.BytesOf(type))), source));
        return this;
    }

    /// <summary>Adds or replaces a text of the header (<c>__metadata__</c>).</summary>
    public SafetensorsWriter Set(string key, string value)
    {
        _metadata[key] = value;
        return this;
    }

    /// <summary>Writes everything into one file.</summary>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <exception cref="InvalidDataException">A tensor holds NaN, an infinity, or a number too large for its type.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void WriteFile(string path) => Write(path, _tensors);

    /// <summary>Writes <c>model.safetensors</c>, or shards and their index when one file would be larger than a shard.</summary>
    /// <param name="folder">Made if it is not there. What an earlier model left in it under these names is removed.</param>
    /// <param name="shardBytes">Most bytes of tensors in one file; a larger tensor has a file of its own.</param>
    /// <exception cref="InvalidDataException">A tensor holds NaN, an infinity, or a number too large for its type.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void WriteFolder(string folder, long shardBytes = DefaultShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shardBytes);
        Directory.CreateDirectory(folder);
        var index = Path.Combine(folder, SafetensorsReader.IndexFile);
        var shards = Shards(shardBytes);
        if (shards.Count == 1)
        {
            Write(Path.Combine(folder, SafetensorsReader.SingleFile), shards[0]);
            File.Delete(index);
            RemoveShards(folder, []);
            return;
        }

        var names = shards.Select((_, i) => $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors").ToList();
        foreach (var (name, shard) in names.Zip(shards))
        {
            Write(Path.Combine(folder, name), shard);
        }

        WriteIndex(index, names, shards);
        File.Delete(Path.Combine(folder, SafetensorsReader.SingleFile));
        RemoveShards(folder, names);
    }

    private static void RemoveShards(string folder, List<string> kept)
    {
        foreach (var old in Directory.EnumerateFiles(folder, "model-?????-of-?????.safetensors").Where(f => !kept.Contains(Path.GetFileName(f))))
        {
            File.Delete(old);
        }
    }

    private List<List<(SafetensorsTensor Tensor, TensorSource Source)>> Shards(long shardBytes)
    {
        var shards = new List<List<(SafetensorsTensor Tensor, TensorSource Source)>> { new() };
        var bytes = 0L;
        foreach (var entry in _tensors)
        {
            if (bytes > 0 && bytes + entry.Tensor.ByteCount > shardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(entry);
            bytes += entry.Tensor.ByteCount;
        }

        return shards;
    }

    private void WriteIndex(string path, List<string> names, List<List<(SafetensorsTensor Tensor, TensorSource Source)>> shards)
    {
        CompleteFile.Write(
            path,
            stream =>
            {
                using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
                json.WriteStartObject();
                json.WriteStartObject("metadata");
                json.WriteNumber("total_size", DataBytes);
                json.WriteEndObject();
                json.WriteStartObject("weight_map");
                foreach (var (name, shard) in names.Zip(shards))
                {
                    foreach (var (tensor, _) in shard)
                    {
                        json.WriteString(tensor.Name, name);
                    }
                }

                json.WriteEndObject();
                json.WriteEndObject();
            },
            temporary => JsonDocument.Parse(File.ReadAllBytes(temporary)).Dispose());
    }

    private void Write(string path, List<(SafetensorsTensor Tensor, TensorSource Source)> tensors)
    {
        // Wide elements first, so that every tensor is aligned to its elements.
        var ordered = tensors.OrderByDescending(t => SafetensorsTypes.BytesOf(t.Tensor.Type)).ToList();
        CompleteFile.Write(
            path,
            stream =>
            {
                stream.Write(Header(ordered.Select(t => t.Tensor)));
                foreach (var (tensor, source) in ordered)
                {
                    StoredFloats.Write(stream, tensor.Name, SafetensorsTypes.FloatOf(tensor.Type)!.Value, source);
                }
            },
            temporary => Verify(temporary, ordered.Select(t => t.Tensor)));
    }

    private byte[] Header(IEnumerable<SafetensorsTensor> tensors)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(new byte[sizeof(ulong)]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsHeader.MetadataKey);
            foreach (var (key, value) in _metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteCount);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        buffer.Write(Encoding.ASCII.GetBytes(new string(' ', (Alignment - (buffer.WrittenCount % Alignment)) % Alignment)));
        var header = buffer.WrittenSpan.ToArray();
        BitConverter.TryWriteBytes(header, (ulong)(header.Length - sizeof(ulong)));
        return header;
    }

    private static void Verify(string path, IEnumerable<SafetensorsTensor> tensors)
    {
        using var written = SafetensorsReader.Open(path);
        if (!written.Tensors.Select(t => (t.Name, t.Type, t.ByteCount)).SequenceEqual(tensors.Select(t => (t.Name, t.Type, t.ByteCount))))
        {
            throw new IOException($"{path}: the file does not read back as it was written; check the disk and write it again.");
        }
    }
}
