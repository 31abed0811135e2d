// A page of Backstage with the card in it, to look at it without a whole Backstage: `npm install && npm start`.
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';
import Grid from '@material-ui/core/Grid';
import CssBaseline from '@material-ui/core/CssBaseline';
import Button from '@material-ui/core/Button';
import { Content, Header, InfoCard, Page } from '@backstage/core-components';
import { configApiRef } from '@backstage/core-plugin-api';
import { MockConfigApi, TestApiProvider } from '@backstage/test-utils';
import { UnifiedThemeProvider, themes } from '@backstage/theme';
import { MemoryRouter } from 'react-router-dom';
import { FleetglassCard } from './FleetglassCard';

const asked = new URLSearchParams(window.location.search);
const config = new MockConfigApi({
  app: { title: 'A portal' },
  fleetglass: { url: asked.get('url'), token: asked.get('token') },
});

const App = () => {
  const [isDark, setDark] = useState(asked.get('theme') === 'dark');
  return (
    <TestApiProvider apis={[[configApiRef, config]]}>
      <UnifiedThemeProvider theme={isDark ? themes.dark : themes.light}>
        <CssBaseline />
        <MemoryRouter>
          <Page themeId="home">
            <Header title="eu-staking" subtitle="A group of nodes">
              <Button color="inherit" onClick={() => setDark(!isDark)}>{isDark ? 'Light' : 'Dark'}</Button>
            </Header>
            <Content>
              <Grid container spacing={3}>
                <Grid item xs={12} md={6}><FleetglassCard title="Nodes" /></Grid>
                <Grid item xs={12} md={6}><FleetglassCard view="risk" title="Slash risks" /></Grid>
                <Grid item xs={12} md={6}><FleetglassCard view="node" node={asked.get('node') ?? 'eu-1'} title="One node" /></Grid>
                <Grid item xs={12} md={6}><InfoCard title="Another card">Of Backstage’s own.</InfoCard></Grid>
              </Grid>
            </Content>
          </Page>
        </MemoryRouter>
      </UnifiedThemeProvider>
    </TestApiProvider>
  );
};

createRoot(document.getElementById('root')!).render(<App />);
