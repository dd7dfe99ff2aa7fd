using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Tests.Training;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("checkpoint").FullName;
    private readonly WorkerPool _pool = new(2);

    private string FilePath => Path.Combine(_folder, "run", "last.ckpt");

    [Fact]
    public void A_resumed_run_repeats_the_losses_bit_by_bit()
    {
        using var straight = new Run(_pool);
        var expected = straight.Steps(0, 10);

        using var first = new Run(_pool);
        var losses = first.Steps(0, 6);
        Checkpoint.Save(FilePath, first.Model.Parameters, first.Optimiser, [6, 200, 7]);
        Checkpoint.Save(FilePath, first.Model.Parameters, first.Optimiser, [6, 200, 7]);

        using var second = new Run(_pool);
        Assert.Equal([6, 200, 7], Checkpoint.Load(FilePath, second.Model.Parameters, second.Optimiser));
        Assert.Equal(6, second.Optimiser.StepCount);
        Assert.Equal(expected, losses.Concat(second.Steps(6, 10)));
        Assert.Equal(RandomModel.Values(straight.Model), RandomModel.Values(second.Model));
        Assert.Equal([FilePath], Directory.GetFiles(Path.GetDirectoryName(FilePath)!));
    }

    [Fact]
    public void Weights_alone_start_another_stage()
    {
        using var run = new Run(_pool);
        run.Steps(0, 2);
        Checkpoint.Save(FilePath, run.Model.Parameters, run.Optimiser, []);
        using var next = new Transformer(RandomModel.Odd with { ContextLength = 8 }, _pool, 8);
        Checkpoint.LoadWeights(FilePath, next.Parameters);
        Assert.Equal(RandomModel.Values(run.Model), RandomModel.Values(next));
    }

    [Fact]
    public void Another_shape_or_a_missing_file_is_one_clear_line()
    {
        using var run = new Run(_pool);
        Checkpoint.Save(FilePath, run.Model.Parameters, run.Optimiser, []);
        using var wider = new ParameterSet(RandomModel.Odd with { IntermediateSize = 60 });
        OneLine(Assert.Throws<InvalidDataException>(() => Checkpoint.LoadWeights(FilePath, wider)));
        OneLine(Assert.Throws<InvalidDataException>(() => Checkpoint.LoadWeights(FilePath + ".none", wider)));
    }

    [Fact]
    public void Damage_anywhere_is_found_before_a_weight_changes()
    {
        using var run = new Run(_pool);
        Checkpoint.Save(FilePath, run.Model.Parameters, run.Optimiser, [1, 2, 3]);
        var whole = File.ReadAllBytes(FilePath);
        var before = RandomModel.Values(run.Model);
        var random = new Random(11);
        for (var i = 0; i < 60; i++)
        {
            var bytes = whole.ToArray();
            if (i % 3 == 0)
            {
                bytes = bytes[..random.Next(bytes.Length)];
            }
            else
            {
                bytes[i % 3 == 1 ? random.Next(200) : random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(FilePath, bytes);
            OneLine(Assert.Throws<InvalidDataException>(() => Checkpoint.Load(FilePath, run.Model.Parameters, run.Optimiser)));
            Assert.Equal(before, RandomModel.Values(run.Model));
        }
    }

    public void Dispose()
    {
        _pool.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void OneLine(Exception error)
    {
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>A tiny run whose batches depend on the step alone.</summary>
    private sealed class Run : IDisposable
    {
        public Run(WorkerPool pool)
        {
            Model = RandomModel.Create(RandomModel.Odd, pool, 40, seed: 4);
            Optimiser = new AdamW(Model.Parameters, pool, new AdamWOptions(WeightDecay: 0.1f));
        }

        public Transformer Model { get; }

        public AdamW Optimiser { get; }

        public double[] Steps(int from, int to) => [.. Enumerable.Range(from, to - from).Select(step =>
        {
            Model.Parameters.ClearGradients();
            var loss = Model.LossAndGradients(RandomModel.Batch(RandomModel.Odd, [20 + step, 9], seed: step));
            Optimiser.Step(1e-3, clipNorm: 1);
            return loss.Mean;
        })];

        public void Dispose()
        {
            Optimiser.Dispose();
            Model.Dispose();
        }
    }
}
