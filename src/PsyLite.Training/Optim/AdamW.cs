using PsyLite.Training.Kernels;

namespace PsyLite.Training.Optim;

/// <summary>Settings of <see cref="AdamW"/>. Weight decay applies to matrices, never to norms.</summary>
public sealed record AdamWOptions(float Beta1 = 0.9f, float Beta2 = 0.999f, float Epsilon = 1e-8f, float WeightDecay = 0f);

/// <summary>Adam with decoupled weight decay (arXiv 1711.05101) in one pass over the parameter arena.</summary>
public sealed class AdamW : IDisposable
{
    /// <summary>Floats per task; the norm is summed chunk by chunk in order, so it does not depend on the number of threads.</summary>
    private const int Chunk = 1 << 16;

    private readonly ParameterSet _parameters;
    private readonly WorkerPool _pool;
    private readonly AdamWOptions _options;
    private readonly double[] _partialSums;

    public AdamW(ParameterSet parameters, WorkerPool pool, AdamWOptions options)
    {
        (_parameters, _pool, _options) = (parameters, pool, options);
        FirstMoments = new NativeBuffer(parameters.ArenaLength);
        SecondMoments = new NativeBuffer(parameters.ArenaLength);
        _partialSums = new double[(parameters.ArenaLength + Chunk - 1) / Chunk];
    }

    /// <summary>Updates made so far.</summary>
    public long StepCount { get; internal set; }

    internal NativeBuffer FirstMoments { get; }

    internal NativeBuffer SecondMoments { get; }

    /// <summary>
    /// Scales the gradients so that their global norm is at most clipNorm, updates the parameters and returns the norm
    /// before clipping. A norm that is not finite leaves everything unchanged: the caller decides what to do. Does not
    /// clear the gradients.
    /// </summary>
    public double Step(double learningRate, double clipNorm = double.PositiveInfinity)
    {
        var norm = GradientNorm();
        if (!double.IsFinite(norm))
        {
            return norm;
        }

        StepCount++;
        var factors = new AdamWFactors(
            GradientScale: norm > clipNorm ? (float)(clipNorm / norm) : 1f,
            Keep: (float)(1.0 - (learningRate * _options.WeightDecay)),
            StepSize: (float)(learningRate / (1.0 - Math.Pow(_options.Beta1, StepCount))),
            RootCorrection: (float)(1.0 / Math.Sqrt(1.0 - Math.Pow(_options.Beta2, StepCount))),
            _options.Beta1, _options.Beta2, _options.Epsilon);
        Update(0, _parameters.MatrixLength, factors);
        Update(_parameters.MatrixLength, _parameters.ArenaLength, factors with { Keep = 1f });
        return norm;
    }

    /// <summary>Square root of the sum of squares of all gradients.</summary>
    public double GradientNorm()
    {
        _parameters.MaterialiseGradients();
        _pool.Tasks(_partialSums.Length, (_, task) =>
        {
            var from = (long)task * Chunk;
            var count = (int)Math.Min(Chunk, _parameters.ArenaLength - from);
            _partialSums[task] = RowKernel.SumOfSquares(_parameters.GradientArena.Matrix(1, count, from), 0, count);
        });
        return Math.Sqrt(_partialSums.Sum());
    }

    public void Dispose()
    {
        FirstMoments.Dispose();
        SecondMoments.Dispose();
    }

    private void Update(long first, long last, AdamWFactors factors) => _pool.Tasks((int)((last - first + Chunk - 1) / Chunk), (_, task) =>
    {
        var from = first + ((long)task * Chunk);
        var count = (int)Math.Min(Chunk, last - from);
        AdamWKernel.Update(
            _parameters.ValueArena.Matrix(1, count, from), _parameters.GradientArena.Matrix(1, count, from),
            FirstMoments.Matrix(1, count, from), SecondMoments.Matrix(1, count, from), factors, 0, count);
    });
}
