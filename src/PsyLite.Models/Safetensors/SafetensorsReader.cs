namespace PsyLite.Models.Safetensors;

/// <summary>
/// Opened safetensors: one file, or a folder whose model is one file or several shards with an index. Tensor data is read on demand, by
/// position rather than through a mapping, so that a file that shrinks is an error and no crash, and a model's pages are not this
/// program's memory. Safe for use by several threads at once.
/// </summary>
public sealed class SafetensorsReader : IDisposable
{
    /// <summary>File name of a model that is not sharded.</summary>
    public const string SingleFile = "model.safetensors";

    /// <summary>File name of the index of a sharded model.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    private const int MaxIndexBytes = 64 << 20;
    private const int MaxShards = 10_000;

    private readonly Dictionary<string, FileStream> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsTensor> _byName = new(StringComparer.Ordinal);
    private readonly List<SafetensorsTensor> _tensors = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsReader(string path) => FilePath = path;

    /// <summary>The file or folder as it was given to <see cref="Open"/>.</summary>
    public string FilePath { get; }

    /// <summary>Tensors in the order of the files' headers.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _tensors;

    /// <summary>The free text pairs of the headers (<c>__metadata__</c>).</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a file, or the model of a folder, and checks that all tensors lie inside their files.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or the folder holds no safetensors model.</exception>
    /// <exception cref="InvalidDataException">It is truncated, damaged or of another format; the message says which in one line.</exception>
    public static SafetensorsReader Open(string path)
    {
        SafetensorsReader? reader = new(path);
        try
        {
            if (!Directory.Exists(path))
            {
                reader.Add(path);
            }
            else if (File.Exists(Path.Combine(path, IndexFile)))
            {
                reader.AddShards(path);
            }
            else
            {
                reader.Add(Path.Combine(path, SingleFile));
            }

            var opened = reader;
            reader = null;
            return opened;
        }
        finally
        {
            reader?.Dispose();
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public SafetensorsTensor Tensor(string name) => _byName.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"{FilePath}: the tensor {ErrorText.Quote(name)} is missing.");

    /// <summary>A tensor as numbers, read when asked for.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it is not stored as F32, F16 or BF16.</exception>
    public TensorSource Source(string name)
    {
        var tensor = Tensor(name);
        return SafetensorsTypes.FloatOf(tensor.Type) is not null
            ? new TensorSource(tensor.Shape, (start, destination) => ReadFloats(tensor, start, destination))
            : throw new InvalidDataException($"{tensor.FilePath}: the tensor {ErrorText.Quote(name)} is stored as {tensor.Type}; only F32, F16 and BF16 can be read, save the model in one of them.");
    }

    /// <summary>All tensors that are stored as F32, F16 or BF16, by name.</summary>
    public IReadOnlyDictionary<string, TensorSource> Sources() =>
        _tensors.Where(t => SafetensorsTypes.FloatOf(t.Type) is not null).ToDictionary(t => t.Name, t => Source(t.Name), StringComparer.Ordinal);

    /// <summary>Reads stored bytes of a tensor as they are.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="start">Offset into its data in bytes.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range lies outside the tensor.</exception>
    /// <exception cref="InvalidDataException">The file became shorter since it was opened.</exception>
    public void ReadBytes(SafetensorsTensor tensor, long start, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, tensor.ByteCount - destination.Length);
        var file = _files[tensor.FilePath].SafeFileHandle;
        for (var at = tensor.Offset + start; !destination.IsEmpty;)
        {
            var read = RandomAccess.Read(file, destination, at);
            if (read == 0)
            {
                throw new InvalidDataException($"{tensor.FilePath}: the file became shorter while it was being read.");
            }

            at += read;
            destination = destination[read..];
        }
    }

    /// <summary>Reads elements of a tensor stored as F32, F16 or BF16.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="start">Index of the first element.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="NotSupportedException">The tensor is of another type.</exception>
    public void ReadFloats(SafetensorsTensor tensor, long start, Span<float> destination)
    {
        var format = SafetensorsTypes.FloatOf(tensor.Type)
            ?? throw new NotSupportedException($"The tensor {ErrorText.Quote(tensor.Name)} is stored as {tensor.Type}; only F32, F16 and BF16 can be read as numbers.");
        StoredFloats.Read(format, (at, bytes) => ReadBytes(tensor, at, bytes), start, destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    private void Add(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: there is no such model file.", path);
        }

        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        _files.Add(path, stream);
        try
        {
            var (tensors, metadata) = SafetensorsHeader.Read(stream, path);
            foreach (var tensor in tensors)
            {
                if (!_byName.TryAdd(tensor.Name, tensor))
                {
                    throw new InvalidDataException($"the tensor {ErrorText.Quote(tensor.Name)} stands in another shard, too.");
                }

                _tensors.Add(tensor);
            }

            foreach (var (key, value) in metadata)
            {
                _metadata[key] = value;
            }
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private void AddShards(string folder)
    {
        var index = Path.Combine(folder, IndexFile);
        var placed = ReadIndex(index);
        foreach (var shard in placed.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Add(Path.Combine(folder, shard));
        }

        foreach (var (name, shard) in placed)
        {
            if (!_byName.TryGetValue(name, out var tensor) || tensor.FilePath != Path.Combine(folder, shard))
            {
                throw new InvalidDataException($"{index}: the tensor {ErrorText.Quote(name)} is not in {ErrorText.Quote(shard)}; download the model again.");
            }
        }
    }

    /// <summary>Names of the tensors with their shards, which must be plain file names: an index cannot point out of its folder.</summary>
    private static Dictionary<string, string> ReadIndex(string path) => JsonFile.Read(path, MaxIndexBytes, "the index of a model's shards", root =>
    {
        var placed = root.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal);
        var shards = placed.Values.Distinct(StringComparer.Ordinal).ToList();
        return shards.Count is > 0 and <= MaxShards && shards.All(s => s.EndsWith(".safetensors", StringComparison.Ordinal) && !s.AsSpan().ContainsAny('/', '\\', '\0'))
            ? placed
            : throw new InvalidDataException("the index names no shards, or one that is not a .safetensors file in its folder.");
    });
}
