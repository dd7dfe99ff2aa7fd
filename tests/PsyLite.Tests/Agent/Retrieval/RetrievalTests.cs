using PsyLite.Agent.Retrieval;

namespace PsyLite.Tests.Agent.Retrieval;

public sealed class RetrievalTests
{
    [Fact]
    public void Fusion_adds_the_reciprocals_of_sixty_and_the_rank()
    {
        var fused = RankFusion.Fuse(["a", "b", "c"], ["c", "d"]);
        Assert.Equal(["c", "a", "b", "d"], fused.Select(f => f.Key));
        Assert.Equal((1.0 / 63) + (1.0 / 61), fused[0].Score, 12);
        Assert.Equal(1.0 / 61, fused[1].Score, 12);
        Assert.Empty(RankFusion.Fuse<string>([], []));
    }

    [Fact]
    public void Spelling_is_folded_and_fillers_break_a_run()
    {
        Assert.Equal("考到驾照abc1", PassageGrams.Fold("考到駕照ＡＢc１"));
        Assert.Equal(["考到", "到驾", "驾照"], PassageGrams.Of("考到驾照的，", 2));
        Assert.Equal(["升职"], PassageGrams.Of("升职了吗", 2));
        Assert.Empty(PassageGrams.Of("升职了加薪", 3));
    }

    [Fact]
    public async Task A_failed_search_rests_and_then_is_tried_again()
    {
        var time = new ManualTime();
        var works = false;
        var inner = new ScriptedSearch(_ => works ? [new PassageHit("a", 1, "")] : throw new IOException("no"));
        var guarded = new GuardedPassageSearch(inner, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), time);
        Assert.Empty(await guarded.SearchAsync("x", 1, default));
        Assert.Equal("no", guarded.Problem);
        works = true;
        Assert.Empty(await guarded.SearchAsync("x", 1, default));
        Assert.Single(inner.Asked);
        time.Pass(TimeSpan.FromMinutes(2));
        Assert.Single(await guarded.SearchAsync("x", 1, default));
        Assert.Null(guarded.Problem);
    }

    [Fact]
    public async Task While_one_search_hangs_no_other_is_started()
    {
        using var release = new ManualResetEventSlim();
        var inner = new ScriptedSearch(_ =>
        {
            release.Wait(TimeSpan.FromSeconds(20));
            return [];
        });
        var guarded = new GuardedPassageSearch(inner, TimeSpan.FromMilliseconds(50), TimeSpan.Zero, TimeProvider.System);
        for (var i = 0; i < 5; i++)
        {
            Assert.Empty(await guarded.SearchAsync("x", 1, default));
        }

        Assert.Single(inner.Asked);
        release.Set();
    }

    [Fact]
    public async Task Only_the_callers_own_cancellation_comes_out()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var guarded = new GuardedPassageSearch(new ScriptedSearch(_ => []), TimeSpan.FromSeconds(5), TimeSpan.Zero, TimeProvider.System);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => guarded.SearchAsync("x", 1, stop.Token).AsTask());
    }
}
