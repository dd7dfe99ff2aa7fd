using PsyLite.Models;
using PsyLite.Training.Kernels;

namespace PsyLite.Training;

/// <summary>
/// One named tensor: trainable ones are windows into the arenas of their <see cref="ParameterSet"/>, frozen ones have no gradient and
/// may be compact.
/// </summary>
public sealed class Parameter
{
    private readonly Matrix _value;

    internal Parameter(string name, Matrix value, Matrix gradient, long offset, bool isVector)
    {
        (Name, Rows, Columns, Offset, IsVector) = (name, value.Rows, value.Columns, offset, isVector);
        (_value, GradientMatrix, IsTrainable, HasGradient) = (value, gradient, gradient.Rows > 0, gradient.Rows > 0);
    }

    internal Parameter(string name, CompactMatrix compact) => (Name, Rows, Columns, Compact) = (name, compact.Rows, compact.Columns, compact);

    /// <summary>HuggingFace name of the tensor.</summary>
    public string Name { get; }

    /// <summary>Rows of a matrix (outputs of a linear layer), 1 for a vector.</summary>
    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Norms; they take no weight decay.</summary>
    public bool IsVector { get; }

    public int Count => Rows * Columns;

    /// <summary>False under adapters: no gradient exists.</summary>
    public bool IsTrainable { get; }

    /// <summary>Row-major values of a tensor that is not compact.</summary>
    public Span<float> Values => Value.AsSpan();

    /// <summary>Row-major gradient; zero until a backward pass has added to it.</summary>
    public Span<float> Gradient
    {
        get
        {
            MaterialiseGradient();
            return GradientMatrix.AsSpan();
        }
    }

    internal long Offset { get; }

    internal Matrix Value => Compact is null ? _value : throw new InvalidOperationException($"{Name} is compact; it is decoded inside products.");

    internal CompactMatrix? Compact { get; }

    internal Matrix GradientMatrix { get; }

    /// <summary>False after clearing: the next backward pass then overwrites instead of adding, which saves writing zeros first.</summary>
    internal bool HasGradient { get; set; }

    /// <summary>The tensor as it acts: a compact one is decoded as it is read.</summary>
    public TensorSource Source => new(IsVector ? [Columns] : [Rows, Columns], Read);

    /// <summary>Takes the values of a source of the same shape.</summary>
    /// <exception cref="InvalidDataException">The shapes differ.</exception>
    public void Load(TensorSource source)
    {
        if (source.Count != Count || source.Shape[^1] != Columns)
        {
            throw new InvalidDataException($"{Name} is [{string.Join(" x ", source.Shape)}] in the file, the model needs [{Rows} x {Columns}].");
        }

        if (Compact is { } compact)
        {
            compact.Encode(source.Read);
        }
        else
        {
            source.Read(0, Values);
        }
    }

    /// <summary>target row i = row rows[i] for i in [from, to): an embedding.</summary>
    internal void Gather(ReadOnlySpan<int> rows, Matrix target, int from, int to)
    {
        if (Compact is not { } compact)
        {
            RowKernel.Gather(_value, rows, target, from, to);
            return;
        }

        for (var i = from; i < to; i++)
        {
            compact.Decode(rows[i], 0, target.RowSpan(i));
        }
    }

    internal void MaterialiseGradient()
    {
        if (!IsTrainable)
        {
            throw new InvalidOperationException($"{Name} is frozen and has no gradient.");
        }

        if (!HasGradient)
        {
            GradientMatrix.AsSpan().Clear();
            HasGradient = true;
        }
    }

    private void Read(long start, Span<float> destination)
    {
        if (Compact is not { } compact)
        {
            Values.Slice(checked((int)start), destination.Length).CopyTo(destination);
            return;
        }

        while (destination.Length > 0)
        {
            var (row, column) = ((int)(start / Columns), (int)(start % Columns));
            var part = destination[..Math.Min(destination.Length, Columns - column)];
            compact.Decode(row, column, part);
            start += part.Length;
            destination = destination[part.Length..];
        }
    }
}
