using Microsoft.Win32.SafeHandles;

namespace PsyLite.Models.Gguf;

/// <summary>
/// An opened GGUF file (version 2 or 3, little-endian): its metadata and where its tensors lie; tensor data is read on demand. Safe for
/// use by several threads at once.
/// </summary>
/// <remarks>Source of the format: docs/gguf.md of ggml and gguf.cpp of llama.cpp v0.5.0.</remarks>
public sealed class GgufReader : IDisposable
{
    private const int HeaderBufferBytes = 1 << 16;

    private readonly FileStream _stream;
    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, GgufTensor> _byName;

    private GgufReader(string path, FileStream stream, uint version, GgufMetadata metadata, List<GgufTensor> tensors)
    {
        (FilePath, Version, Metadata, Tensors) = (path, version, metadata, tensors);
        (_stream, _file) = (stream, stream.SafeFileHandle);
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The file as it was given to <see cref="Open"/>.</summary>
    public string FilePath { get; }

    /// <summary>2 or 3.</summary>
    public uint Version { get; }

    /// <summary>Key-value pairs.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Tensors in file order.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Opens a file and checks its header and that all tensors lie inside it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no GGUF file, of another version, truncated or damaged; the message says which in one line.</exception>
    public static GgufReader Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: there is no such model file.", path);
        }

        FileStream? stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, HeaderBufferBytes);
        try
        {
            var (version, metadata, tensors) = new GgufHeaderReader(stream, stream.Length).Read();
            var reader = new GgufReader(path, stream, version, metadata, tensors);
            stream = null;
            return reader;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        finally
        {
            stream?.Dispose();
        }
    }

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="InvalidDataException">The file has none.</exception>
    public GgufTensor Tensor(string name) => _byName.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"{FilePath}: the model lacks the tensor {ErrorText.Quote(name)}.");

    /// <summary>Reads stored bytes of a tensor as they are.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="start">Offset into its data in bytes.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range lies outside the tensor.</exception>
    /// <exception cref="InvalidDataException">The file became shorter since it was opened.</exception>
    public void ReadBytes(GgufTensor tensor, long start, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, tensor.ByteCount - destination.Length);
        for (var at = tensor.Offset + start; !destination.IsEmpty;)
        {
            var read = RandomAccess.Read(_file, destination, at);
            if (read == 0)
            {
                throw new InvalidDataException($"{FilePath}: the file became shorter while it was being read.");
            }

            at += read;
            destination = destination[read..];
        }
    }

    /// <summary>Reads elements of a tensor stored as F32, F16 or BF16.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="start">Index of the first element.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="NotSupportedException">The tensor is quantised.</exception>
    public void ReadFloats(GgufTensor tensor, long start, Span<float> destination)
    {
        var format = GgmlTypeSizes.FloatOf(tensor.Type)
            ?? throw new NotSupportedException($"The tensor {ErrorText.Quote(tensor.Name)} is quantised as {tensor.Type}; only F32, F16 and BF16 can be read as numbers, use an unquantised file.");
        StoredFloats.Read(format, (at, bytes) => ReadBytes(tensor, at, bytes), start, destination);
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
