namespace PsyLite.Models;

/// <summary>Copies elements [start, start + destination.Length) of a tensor, row-major, as float32.</summary>
public delegate void TensorReader(long start, Span<float> destination);

/// <summary>A tensor that is read in parts, so that a whole model never has to be in memory.</summary>
/// <param name="Shape">Sizes as HuggingFace gives them, outermost first: [rows, columns] of a matrix, [n] of a vector.</param>
/// <param name="Read">Gives any run of its elements.</param>
public sealed record TensorSource(IReadOnlyList<long> Shape, TensorReader Read)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>A tensor that is in memory.</summary>
    /// <exception cref="ArgumentException">The shape does not have as many elements as the values.</exception>
    public static TensorSource From(ReadOnlyMemory<float> values, params long[] shape)
    {
        var source = new TensorSource(shape, (start, destination) => values.Span.Slice(checked((int)start), destination.Length).CopyTo(destination));
        return source.Count == values.Length
            ? source
            : throw new ArgumentException($"A tensor of shape [{string.Join(", ", shape)}] does not have {values.Length} elements.", nameof(shape));
    }

    /// <summary>The same tensor, whose reading can be watched and stopped.</summary>
    /// <param name="progress">Called with the number of elements after each part; null for nobody.</param>
    /// <param name="cancellationToken">Stops the next read.</param>
    public TensorSource Watched(Action<long>? progress, CancellationToken cancellationToken) => this with
    {
        Read = (start, destination) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            Read(start, destination);
            progress?.Invoke(destination.Length);
        },
    };
}
